import type { Job, Prisma } from '../../generated/client/client.ts';
import { RETRIES } from './queues.ts';
import { followPart } from './sweep.ts';

const MESSAGE = 'Resumed';

/**
 * Puts a training that has ended back into the queue with its run. The fencing number goes on where it was, so that an attempt that is
 * still letting go cannot write any more once the next one has begun.
 * @returns whether pg-boss still knew the job: it forgets one a week after its end, and must be sent it anew
 */
export async function reopenJob(tx: Prisma.TransactionClient, job: Job): Promise<boolean> {
  // Its own `resume` takes cancelled jobs and its `retry` failed ones, but a failure that we told is a job completed to it.
  const known = await tx.$executeRaw`
    UPDATE pgboss.job SET state = 'retry', completed_on = NULL, start_after = now(), retry_limit = retry_count + 1 + ${RETRIES}::int
    WHERE name = 'train' AND id = ${job.id}::uuid AND state IN ('completed', 'cancelled', 'failed')`;
  await tx.run.updateMany({ where: { id: job.runId! }, data: { state: 'TRAINING', error: null, finishedAt: null } });
  const reopened = await tx.job.update({
    where: { id: job.id },
    data: {
      state: 'QUEUED',
      attempt: known > 0 ? job.attempt : 0,
      finishedAt: null,
      errorCode: null,
      errorMessage: null,
      events: { create: { message: MESSAGE } },
    },
  });
  await followPart(tx, reopened, MESSAGE);
  return known > 0;
}
