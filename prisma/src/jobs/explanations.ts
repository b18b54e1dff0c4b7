import { FINDINGS } from '@cxr-lens/data';
import type { Prisma, PrismaClient } from '../../generated/client/client.ts';
import type { Jobs } from './jobs.ts';

type Tx = Prisma.TransactionClient;

/** Every finished run that is in use, oldest first. */
export async function activeRunIds(prisma: Tx): Promise<string[]> {
  const runs = await prisma.run.findMany({
    where: { active: true, state: 'FINISHED' },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: { id: true },
  });
  return runs.map(({ id }) => id);
}

/**
 * Queues an explanation by those runs in use that have none of the image yet and that no open job is about to give. Returns the image's
 * newest explanation job; null where there was never a run in use. 0.1.0 read 16-bit files near black and kept no bits: its explanations
 * of them count for none.
 */
export async function explainMissing(
  { tx, jobs }: { tx: Tx; jobs: Pick<Jobs, 'enqueue'> },
  imageId: string,
  { sixteenBit = false }: { sixteenBit?: boolean } = {},
): Promise<string | null> {
  const runIds = await activeRunIds(tx);
  const newestFirst = [{ createdAt: 'desc' }, { id: 'desc' }] as const;
  const known = await tx.job.findMany({
    where: { imageId, kind: 'EXPLAIN' },
    orderBy: [...newestFirst],
    select: { id: true, state: true, input: true },
  });
  const open = known.filter(({ state }) => state === 'QUEUED' || state === 'RUNNING');
  const coming = new Set(open.flatMap(({ input }) => (input as { runIds: string[] }).runIds));
  const right = sixteenBit ? { bits: { not: null } } : {};
  const explained = await tx.explanation.groupBy({ by: ['runId'], where: { imageId, runId: { in: runIds }, ...right } });
  const missing = runIds.filter((runId) => !coming.has(runId) && !explained.some((row) => row.runId === runId));
  if (missing.length === 0) return known[0]?.id ?? null;
  return (await jobs.enqueue('explain', { imageId, runIds: missing, findings: [...FINDINGS] }, { tx })).id;
}

/** The pause before the first attempt of our own; each further one waits six times as long: ten minutes, an hour, six hours, 36 hours. */
const FIRST_PAUSE_MINUTES = 10;
const LONGER = 6;
const MOST_FAILURES = 4;
/** Images of one look. */
const AT_ONCE = 50;

/** Queues again what failed to be explained some time ago: what was wrong (a damaged run, a full disk) may have been repaired since. */
export async function retryFailedExplanations({ prisma, jobs }: { prisma: PrismaClient; jobs: Pick<Jobs, 'enqueue'> }): Promise<number> {
  return prisma.$transaction(async (tx) => {
    // One worker looks at a time; the others need not wait for it.
    const [lock] = await tx.$queryRaw<
      { mine: boolean }[]
    >`SELECT pg_try_advisory_xact_lock(hashtextextended('retry explanations', 0)) AS mine`;
    if (!lock?.mine) return 0;
    const due = await tx.$queryRaw<{ imageId: string }[]>`
      SELECT failed."imageId" FROM (
        SELECT "imageId", count(*) AS failures, max("finishedAt") AS last FROM "Job"
          WHERE kind = 'EXPLAIN' AND state = 'FAILED' AND "imageId" IS NOT NULL AND "finishedAt" > now() - interval '30 days' GROUP BY 1
      ) failed
      WHERE failures <= ${MOST_FAILURES}
        AND last < now() - make_interval(mins => (${FIRST_PAUSE_MINUTES} * power(${LONGER}, failures - 1))::int)
        AND NOT EXISTS (SELECT 1 FROM "Job" newer WHERE newer."imageId" = failed."imageId" AND newer.kind = 'EXPLAIN'
          AND (newer.state IN ('QUEUED', 'RUNNING') OR newer."createdAt" > failed.last))
      ORDER BY last LIMIT ${AT_ONCE}`;
    for (const { imageId } of due) await explainMissing({ tx, jobs }, imageId);
    return due.length;
  });
}
