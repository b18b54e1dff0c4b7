import { CxrError, type Progress } from '@cxr-lens/data';
import type { Job, Prisma, PrismaClient } from '../../generated/client/client.ts';
import { patiently } from '../patience.ts';
import { hasEnded, lockJob } from './row.ts';
import { changeJob } from './sweep.ts';

const PROGRESS_EVERY_MS = 500;

/** Makes attempt `attempt` the only one that may write, unless the job has ended, is gone, or a later attempt has begun: then null. */
export async function claimJob(prisma: PrismaClient, id: string, attempt: number): Promise<Job | null> {
  const claim = async (tx: Prisma.TransactionClient): Promise<Job | null> => {
    const job = await lockJob(tx, id);
    if (!job || hasEnded(job) || job.attempt >= attempt) return null;
    return changeJob(tx, id, {
      message: attempt === 1 ? 'Started' : `Taken up again, attempt ${attempt}`,
      data: {
        attempt,
        state: 'RUNNING',
        startedAt: job.startedAt ?? new Date(),
        progressWhat: null,
        progressDone: null,
        progressTotal: null,
        errorCode: null,
        errorMessage: null,
      },
    });
  };
  return patiently(() => prisma.$transaction(claim));
}

/** How a job ends. A training job that does not end well takes its run with it. */
export async function endJob(
  tx: Prisma.TransactionClient,
  job: Job,
  end: { state: 'DONE' } | { state: 'CANCELLED' } | { state: 'FAILED'; error: CxrError },
): Promise<Job> {
  const message = end.state === 'FAILED' ? end.error.message : null;
  if (job.kind === 'TRAIN' && job.runId && end.state !== 'DONE') {
    await tx.run.updateMany({
      where: { id: job.runId, state: 'TRAINING' },
      data: { state: end.state, error: message, finishedAt: new Date() },
    });
  }
  const words = { DONE: 'Done', CANCELLED: 'Cancelled', FAILED: `Failed: ${message}` };
  return changeJob(tx, job.id, {
    message: words[end.state],
    data: {
      state: end.state,
      finishedAt: new Date(),
      errorCode: end.state === 'FAILED' ? end.error.code : null,
      errorMessage: message,
    },
  });
}

/** Thrown when another attempt owns the job by now, or its row is gone: whatever was to be written must not be. */
export class StaleAttempt extends CxrError {
  constructor(id: string, attempt: number) {
    super('CONFLICT', `Attempt ${attempt} of job ${id} has been replaced by a later one and stops.`);
  }
}

/** What a running attempt may write, each time only while it is the newest. */
export class AttemptWriter {
  private readonly prisma: PrismaClient;
  private readonly id: string;
  private readonly attempt: number;
  private latest: Progress | null = null;
  private reporting: Promise<void> | null = null;
  /** 1 once this attempt got further than any before: it does not count as a failed one. */
  givenBack: 0 | 1 = 0;

  constructor(prisma: PrismaClient, id: string, attempt: number) {
    this.prisma = prisma;
    this.id = id;
    this.attempt = attempt;
  }

  /** Throws StaleAttempt unless this attempt is the newest. */
  async fence(): Promise<void> {
    const job = await patiently(() => this.prisma.job.findUnique({ where: { id: this.id }, select: { attempt: true } }));
    if (job?.attempt !== this.attempt) throw new StaleAttempt(this.id, this.attempt);
  }

  /** Does `work` in a transaction during which no later attempt can begin. */
  async write<T>(work: (tx: Prisma.TransactionClient, job: Job) => Promise<T>): Promise<T> {
    const step = async (tx: Prisma.TransactionClient): Promise<T> => {
      const job = await lockJob(tx, this.id);
      if (job?.attempt !== this.attempt) throw new StaleAttempt(this.id, this.attempt);
      return work(tx, job);
    };
    return patiently(() => this.prisma.$transaction(step, { timeout: 60_000 }));
  }

  /** The same for what only a job that goes on may write; CANCELLED when it was cancelled or has ended otherwise. */
  async writeOpen<T>(work: (tx: Prisma.TransactionClient) => Promise<T>): Promise<T> {
    return this.write((tx, job) => {
      if (hasEnded(job)) throw new CxrError('CANCELLED', `Job ${job.id} is ${job.state}: nothing more is written for it.`);
      return work(tx);
    });
  }

  /**
   * Notes what is done for good, counted over all attempts. An attempt that gets further than any before is given back: it counts as no
   * failed one if it is lost later, so that a worker that is suspended now and then does not end a long job.
   */
  async advance(done: number): Promise<void> {
    const further = await this.writeOpen(async (tx) => {
      const { count } = await tx.job.updateMany({ where: { id: this.id, furthest: { lt: done } }, data: { furthest: done } });
      if (count === 0 || this.givenBack) return false;
      await tx.$executeRaw`UPDATE pgboss.job SET retry_limit = retry_limit + 1 WHERE id = ${this.id}::uuid`;
      return true;
    });
    if (further) this.givenBack = 1;
  }

  async addEvent(message: string): Promise<void> {
    await this.writeOpen((tx) => tx.jobEvent.create({ data: { jobId: this.id, message } }));
  }

  /** Shows progress, the newest at most every half second; never waits and never fails. */
  progress(progress: Progress): void {
    this.latest = progress;
    this.reporting ??= this.report().finally(() => {
      this.reporting = null;
    });
  }

  /** Waits until the last progress is written. */
  async settle(): Promise<void> {
    while (this.reporting) await this.reporting;
  }

  private async report(): Promise<void> {
    while (this.latest) {
      const { what, done, total } = this.latest;
      this.latest = null;
      const data = { progressWhat: what, progressDone: Math.round(done), progressTotal: Math.round(total) };
      await this.prisma.job.updateMany({ where: { id: this.id, attempt: this.attempt, state: 'RUNNING' }, data }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, PROGRESS_EVERY_MS));
    }
  }
}
