import { deleteUnused, type Jobs, type PrismaClient } from '@cxr-lens/prisma';

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
  await deleteUnused(prisma, keys);
  return true;
}
