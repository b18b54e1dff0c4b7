import { CxrError } from '@cxr-lens/data';
import type { Job, Prisma, PrismaClient } from '../../generated/client/client.ts';
import type { JobInput, JobName, JobRequest } from './inputs.ts';

export interface JobAttempt<Name extends JobName> {
  jobId: string;
  /** The fencing number, from 1: see `Jobs.fence`. */
  attempt: number;
  input: JobInput<Name>;
  /** Aborted when the job is cancelled, its time is up, or the worker stops. */
  signal: AbortSignal;
}

export type JobHandler<Name extends JobName> = (job: JobAttempt<Name>) => Promise<void>;

export interface Jobs {
  /**
   * Puts a job into its queue and returns its row; with `tx` both become visible when that transaction commits.
   * A train job also makes the Run row, in state TRAINING. CxrError BAD_INPUT or NOT_FOUND for what can be known now.
   */
  enqueue<Name extends JobName>(name: Name, input: JobRequest<Name>, options?: { tx?: Prisma.TransactionClient }): Promise<Job>;
  /** Cancels a queued or running job; one that has ended is left alone. NOT_FOUND for an unknown id. */
  cancel(id: string): Promise<Job>;
  stop(): Promise<void>;
}

export interface JobsOptions {
  prisma: PrismaClient;
  url: string;
}

export async function createJobs(_options: JobsOptions): Promise<Jobs> {
  throw new CxrError('INTERNAL', 'createJobs is not there yet');
}
