import type { Job, Prisma } from '../../generated/client/client.ts';
import type { JobName } from './inputs.ts';
import { RETENTION_DAYS, RETRIES } from './queues.ts';
import { changeJob } from './sweep.ts';

/**
 * Puts a job that has ended back into its queue, a training with its run. The fencing number goes on by one, past whatever was delivered
 * before and short of what will be: an attempt that is still letting go is stale at once, for us and for pg-boss.
 * @returns whether pg-boss still knew the job: it forgets one a week after its end, and must be sent it anew
 */
export async function reopenJob(tx: Prisma.TransactionClient, job: Job, queue: JobName): Promise<boolean> {
  // Its own `resume` takes cancelled jobs and its `retry` failed ones, but a failure that we told is a job completed to it, and until
  // it has heard of that an active one: in whatever state it has the job, the job has ended. It counts a delivery only after a start,
  // and drops what has waited past `keep_until`.
  const [known] = await tx.$queryRaw<{ retryCount: number }[]>`
    UPDATE pgboss.job SET state = 'retry', completed_on = NULL,
      start_after = now(), keep_until = now() + make_interval(days => ${RETENTION_DAYS}::int),
      started_on = COALESCE(started_on, now()), retry_count = retry_count + 1, retry_limit = retry_count + 2 + ${RETRIES}::int
    WHERE name = ${queue} AND id = ${job.id}::uuid RETURNING retry_count AS "retryCount"`;
  if (job.runId) await tx.run.updateMany({ where: { id: job.runId }, data: { state: 'TRAINING', error: null, finishedAt: null } });
  await changeJob(tx, job.id, {
    message: 'Resumed',
    data: { state: 'QUEUED', attempt: known ? known.retryCount + 1 : 0, finishedAt: null, errorCode: null, errorMessage: null },
  });
  return known !== undefined;
}
