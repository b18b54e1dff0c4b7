import { deleteObject } from '@cxr-lens/data';
import { type Jobs, ownObjects, type Prisma, type PrismaClient } from '@cxr-lens/prisma';

// A study has two maps a finding, run and image, and uploads that are under way hold the lock for 30 s at most.
const DELETING = { timeout: 120_000, maxWait: 30_000 };

/** Deletes a study with everything that was made of it; false when there is none. Bytes that another study shares stay. */
export async function deleteStudy({ prisma, jobs }: { prisma: PrismaClient; jobs: Jobs }, id: string): Promise<boolean> {
  const open = await prisma.job.findMany({ where: { image: { studyId: id }, state: { in: ['QUEUED', 'RUNNING'] } }, select: { id: true } });
  for (const job of open) await jobs.cancel(job.id);
  const keys = await prisma.$transaction(async (tx) => {
    const images = await tx.image.findMany({
      where: { studyId: id },
      select: { objectKey: true, explanations: { select: { camKey: true, saliencyKey: true } } },
    });
    const { count } = await tx.study.deleteMany({ where: { id } });
    if (count === 0) return null;
    return new Set(
      images.flatMap(({ objectKey, explanations }) => [objectKey, ...explanations.flatMap((row) => [row.camKey, row.saliencyKey])]),
    );
  }, DELETING);
  if (keys === null) return false;
  // Only now that the rows are gone for certain: bytes that no row names are waste, a row without its bytes is a loss.
  await prisma.$transaction(async (tx) => {
    await ownObjects(tx);
    for (const key of await unused(tx, [...keys])) await deleteObject(key);
  }, DELETING);
  return true;
}

/** Those of the keys that no row names any more. */
async function unused(tx: Prisma.TransactionClient, keys: readonly string[]): Promise<string[]> {
  const among = { in: [...keys] };
  const [images, maps] = await Promise.all([
    tx.image.findMany({ where: { objectKey: among }, select: { objectKey: true } }),
    tx.explanation.findMany({
      where: { OR: [{ camKey: among }, { saliencyKey: among }] },
      select: { camKey: true, saliencyKey: true },
    }),
  ]);
  const used = new Set([...images.map(({ objectKey }) => objectKey), ...maps.flatMap((row) => [row.camKey, row.saliencyKey])]);
  return keys.filter((key) => !used.has(key));
}
