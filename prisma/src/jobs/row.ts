import { CxrError } from '@cxr-lens/data';
import type { Job, JobState, Prisma } from '../../generated/client/client.ts';

type Tx = Prisma.TransactionClient;

const ENDED: readonly JobState[] = ['DONE', 'FAILED', 'CANCELLED'];

export const hasEnded = ({ state }: Pick<Job, 'state'>): boolean => ENDED.includes(state);

/** The row, locked until the transaction ends; null when there is none. A training is locked before its sweep, never after. */
export async function lockJob(tx: Tx, id: string): Promise<Job | null> {
  await tx.$queryRaw`SELECT 1 FROM "Job" WHERE id = ${id} FOR UPDATE`;
  return tx.job.findUnique({ where: { id } });
}

/** What a worker does for the job, locked until the transaction ends: the job itself, or the trainings of a sweep. CxrError NOT_FOUND. */
export async function lockWork(tx: Tx, id: string): Promise<Job[]> {
  const job = await tx.job.findUnique({ where: { id }, select: { kind: true } });
  if (!job) throw new CxrError('NOT_FOUND', `There is no job ${id}.`);
  if (job.kind !== 'SWEEP') return [(await lockJob(tx, id))!];
  await tx.$queryRaw`SELECT 1 FROM "Job" WHERE "sweepId" = ${id} ORDER BY id FOR UPDATE`;
  return tx.job.findMany({ where: { sweepId: id }, orderBy: { id: 'asc' } });
}
