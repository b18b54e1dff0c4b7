import { CxrError, type Progress } from '@cxr-lens/data';
import { fromPrisma, type JobWithMetadata, PgBoss } from 'pg-boss';
import type { Job, Prisma, PrismaClient } from '../../generated/client/client.ts';
import { CONNECTIONS, directUrl } from '../client.ts';
import { subscribeEvents } from '../events.ts';
import { AttemptWriter, claimJob, endJob, StaleAttempt } from './attempt.ts';
import { createJobRow, readJobInput } from './enqueue.ts';
import { JOB_KINDS, JOB_NAMES, type JobInput, type JobName, type JobRequest } from './inputs.ts';
import { DEAD_LETTERS, HEARTBEAT_SECONDS, RETRIES } from './queues.ts';
import { reopenJob } from './reopen.ts';
import { hasEnded, lockJob, lockWork } from './row.ts';
import { changeJob, createSweepRows, type SweepRequest } from './sweep.ts';

/** One attempt at a job, as a worker's handler gets it. */
export interface JobAttempt<Name extends JobName> {
  jobId: string;
  /** The fencing number, from 1. */
  attempt: number;
  input: JobInput<Name>;
  /** Aborted when the job is cancelled, its time is up, or the worker stops. */
  signal: AbortSignal;
  /** Throws unless this attempt is the newest: to be awaited before anything is written outside of the database. */
  fence(): Promise<void>;
  /** Rows are written here: a transaction during which no later attempt can begin; throws when one has, or when the job has ended. */
  write<T>(work: (tx: Prisma.TransactionClient) => Promise<T>): Promise<T>;
  addEvent(message: string): Promise<void>;
  /** Notes how much is done for good, counted over all attempts: steps of a training, runs of an explanation. */
  advance(done: number): Promise<void>;
  /** Throttled; never waits, never fails. */
  progress(progress: Progress): void;
}

export type JobHandlers = { [Name in JobName]: (job: JobAttempt<Name>) => Promise<void> };

export interface Jobs {
  /**
   * Puts a job into its queue and returns its row; with `tx` both become visible when that transaction commits.
   * A train job also makes the Run row, in state TRAINING. CxrError BAD_INPUT, NOT_FOUND or CONFLICT for what can be known now.
   */
  enqueue<Name extends JobName>(name: Name, request: JobRequest<Name>, options?: { tx?: Prisma.TransactionClient }): Promise<Job>;
  /** Puts one training per epsilon into the queue, for as many workers as there are; returns the row of the sweep they make up. */
  sweep(request: SweepRequest): Promise<Job>;
  /** Cancels a queued or running job, a sweep with all its trainings; one that has ended is left as it is. CxrError NOT_FOUND. */
  cancel(id: string): Promise<Job>;
  /** Puts drawing or a training that failed or was cancelled back into its queue, or the trainings of a sweep, to go on where it was. CxrError CONFLICT. */
  resume(id: string): Promise<Job>;
  /** Takes jobs from now on, of each kind as many at a time as `atOnce` says, else one. */
  work(handlers: JobHandlers, atOnce?: Partial<Record<JobName, number>>): Promise<void>;
  /** Lets go: running attempts are aborted, and their jobs go back into the queue for another worker. */
  stop(): Promise<void>;
}

export interface JobsOptions {
  prisma: PrismaClient;
  url: string;
  onError?: (error: Error) => void;
}

const STOP_TIMEOUT_MS = 60_000;
const SWEEP_TIMEOUT_MS = 60_000;

/** Jobs that go on where they were stopped. */
const RESUMED: ReadonlySet<JobName> = new Set(['phantom', 'train']);
/** The part of a job's time after which it is stopped; the rest is for its checkpoint. */
const SHIFT = 0.9;
const SHIFT_OVER = new CxrError('CANCELLED', "The attempt's time is up.");

/** The job queues of the database at `url`. A process that only enqueues needs no `work`. */
export async function createJobs({ prisma, url, onError = () => undefined }: JobsOptions): Promise<Jobs> {
  const boss = new PgBoss({
    connectionString: directUrl(url),
    max: CONNECTIONS.queue - 1,
    schedule: false,
    useListenNotify: true,
    registerInstance: false,
    // How soon a dead worker is noticed; the database sees to it that many workers look no oftener than one.
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
  });
  boss.on('error', onError);
  await boss.start();
  const running = new Map<string, { attempt: number; controller: AbortController }>();
  const ended = new AbortController();

  async function enqueue<Name extends JobName>(
    name: Name,
    request: JobRequest<Name>,
    options: { tx?: Prisma.TransactionClient } = {},
  ): Promise<Job> {
    const make = async (tx: Prisma.TransactionClient): Promise<Job> => {
      const job = await createJobRow(tx, name, request);
      await boss.send(name, {}, { id: job.id, db: fromPrisma(tx) });
      return job;
    };
    return options.tx ? make(options.tx) : prisma.$transaction(make);
  }

  async function sweep(request: SweepRequest): Promise<Job> {
    const make = async (tx: Prisma.TransactionClient): Promise<Job> => {
      const made = await createSweepRows(tx, request);
      for (const { id } of made.parts) await boss.send('train', {}, { id, db: fromPrisma(tx) });
      return made.sweep;
    };
    return prisma.$transaction(make, { timeout: SWEEP_TIMEOUT_MS });
  }

  async function cancel(id: string): Promise<Job> {
    const end = async (tx: Prisma.TransactionClient): Promise<Job> => {
      for (const job of await lockWork(tx, id)) {
        if (hasEnded(job)) continue;
        await boss.cancel(queueOf(job), job.id, { db: fromPrisma(tx) });
        await endJob(tx, job, { state: 'CANCELLED' });
      }
      return tx.job.findUniqueOrThrow({ where: { id } });
    };
    return prisma.$transaction(end, { timeout: SWEEP_TIMEOUT_MS });
  }

  async function resume(id: string): Promise<Job> {
    const reopen = async (tx: Prisma.TransactionClient): Promise<Job> => {
      const jobs = (await lockWork(tx, id)).filter(isResumable);
      if (jobs.length === 0) {
        const { kind, state } = await tx.job.findUniqueOrThrow({ where: { id } });
        const message = `Job ${id} (${kind}) is ${state}: only drawing, a training or a sweep that failed or was cancelled goes on where it was.`;
        throw new CxrError('CONFLICT', message);
      }
      for (const job of jobs) {
        if ((await reopenJob(tx, job, queueOf(job))) || (await boss.send(queueOf(job), {}, { id: job.id, db: fromPrisma(tx) }))) continue;
        throw new CxrError(
          'CONFLICT',
          `The queue is just putting the last attempt of job ${job.id} away: resume it again in some seconds.`,
        );
      }
      return tx.job.findUniqueOrThrow({ where: { id } });
    };
    return prisma.$transaction(reopen, { timeout: SWEEP_TIMEOUT_MS });
  }

  async function work(handlers: JobHandlers, atOnce: Partial<Record<JobName, number>> = {}): Promise<void> {
    void abortCancelled();
    await boss.work(DEAD_LETTERS, { includeMetadata: true }, async ([job]) => buryJob(prisma, job!));
    for (const name of JOB_NAMES) {
      // A new job is notified; a retried one is only found by looking.
      const options = {
        includeMetadata: true,
        localConcurrency: atOnce[name] ?? 1,
        heartbeatRefreshSeconds: 3,
        pollingIntervalSeconds: 1,
        notifyPollingIntervalSeconds: 1,
      } as const;
      await boss.work(name, options, async ([job]) => runAttempt(name, job!, handlers));
    }
  }

  async function runAttempt<Name extends JobName>(name: Name, delivered: JobWithMetadata<unknown>, handlers: JobHandlers): Promise<void> {
    const { id } = delivered;
    const attempt = delivered.retryCount + 1;
    const job = await claimJob(prisma, id, attempt);
    if (!job) return;
    const controller = new AbortController();
    running.set(id, { attempt, controller });
    const writer = new AttemptWriter(prisma, id, attempt);
    // pg-boss gives no job more than a day: a training stops before that by itself, and so goes on from its checkpoint at no cost.
    const shift = RESUMED.has(name) ? setTimeout(() => controller.abort(SHIFT_OVER), delivered.expireInSeconds * 1000 * SHIFT) : undefined;
    try {
      await (handlers[name] as (job: JobAttempt<Name>) => Promise<void>)({
        jobId: id,
        attempt,
        input: readJobInput(name, job),
        signal: AbortSignal.any([delivered.signal, controller.signal]),
        fence: () => writer.fence(),
        write: (step) => writer.writeOpen(step),
        addEvent: (message) => writer.addEvent(message),
        advance: (done) => writer.advance(done),
        progress: (progress) => writer.progress(progress),
      });
      await writer.settle();
      await writer.write(async (tx, row) => hasEnded(row) || endJob(tx, row, { state: 'DONE' }));
    } catch (error) {
      await writer.settle();
      await settleFailure(writer, delivered, name, { error, handedOver: ended.signal.aborted || controller.signal.reason === SHIFT_OVER });
    } finally {
      clearTimeout(shift);
      running.delete(id);
    }
  }

  /** Decides what a failed attempt means: nothing (cancelled, or replaced), the end of the job, or another attempt. */
  async function settleFailure(
    writer: AttemptWriter,
    delivered: JobWithMetadata<unknown>,
    name: JobName,
    { error, handedOver }: { error: unknown; handedOver: boolean },
  ): Promise<void> {
    if (error instanceof StaleAttempt) return;
    const failure = failureOf(error, delivered, handedOver);
    if (failure.code === 'INTERNAL') onError(error instanceof Error ? error : failure);
    // What dies while its worker stops (the engine, whose death stops the worker) did fail.
    const stopping = handedOver && failure.code === 'CANCELLED';
    const again = await writer
      .write(async (tx, job) => {
        if (hasEnded(job)) return false;
        const mayRetry = stopping || (RETRIED_CODES.has(failure.code) && delivered.retryCount < delivered.retryLimit + writer.givenBack);
        if (!mayRetry) {
          await endJob(tx, job, { state: 'FAILED', error: failure });
          return false;
        }
        const message = stopping
          ? ended.signal.aborted
            ? 'The worker was stopped; another one goes on'
            : 'Its time is up; it goes on from its checkpoint'
          : `Attempt ${job.attempt} failed and is made again: ${failure.message}`;
        await changeJob(tx, job.id, { data: { state: 'QUEUED' }, message });
        // Neither is a failure of the job. Said before: pg-boss would fail a last attempt for good, and edits no job that runs.
        if (stopping) {
          const retryLimit = delivered.retryCount + 1 + RETRIES;
          await tx.$executeRaw`UPDATE pgboss.job SET retry_limit = ${retryLimit} WHERE name = ${name} AND id = ${job.id}::uuid`;
        }
        await boss.fail(name, delivered, { message: failure.message }, { db: fromPrisma(tx) });
        return true;
      })
      .catch((reason: unknown) => {
        if (reason instanceof StaleAttempt) return false;
        throw reason;
      });
    if (again && !stopping) onError(failure);
  }

  /** Aborts a cancelled job at once; pg-boss itself would tell with the next heartbeat. */
  async function abortCancelled(): Promise<void> {
    for await (const event of subscribeEvents(url, { signal: ended.signal })) {
      const ids = event.type === 'resync' ? [...running.keys()] : event.type === 'job' && running.has(event.id) ? [event.id] : [];
      for (const id of ids) {
        const entry = running.get(id);
        const row = await prisma.job.findUnique({ where: { id }, select: { state: true, attempt: true } }).catch(() => undefined);
        if (entry && row !== undefined && (row?.state === 'CANCELLED' || row?.attempt !== entry.attempt)) entry.controller.abort();
      }
    }
  }

  async function stop(): Promise<void> {
    ended.abort();
    for (const { controller } of running.values()) controller.abort();
    await boss.stop({ graceful: true, timeout: STOP_TIMEOUT_MS });
  }

  return { enqueue, sweep, cancel, resume, work, stop };
}

/** The reason as a person reads it. A claim that the queue has given up looks like a cancellation, though nobody asked for one. */
function failureOf(error: unknown, { signal }: JobWithMetadata<unknown>, handedOver: boolean): CxrError {
  if (!(error instanceof CxrError))
    return new CxrError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
  if (error.code !== 'CANCELLED' || handedOver || !signal.aborted) return error;
  const message = `The queue heard nothing of the worker for ${HEARTBEAT_SECONDS} seconds: it was suspended, or its machine is overloaded.`;
  return new CxrError('UNAVAILABLE', message, { cause: error });
}

/** What may go well the next time: everything else is the input's fault and fails at once. */
const RETRIED_CODES: ReadonlySet<string> = new Set(['INTERNAL', 'UNAVAILABLE', 'CANCELLED']);

/** Whether `resume` has something to do: what is drawn, or a training's checkpoint, is there to go on from. */
export function isResumable({ kind, state }: Pick<Job, 'kind' | 'state'>): boolean {
  return (kind === 'PHANTOM' || kind === 'TRAIN' || kind === 'SWEEP') && (state === 'FAILED' || state === 'CANCELLED');
}

function queueOf(job: Job): JobName {
  return JOB_NAMES.find((name) => JOB_KINDS[name] === job.kind)!;
}

/** A job whose last attempt died without a word. */
async function buryJob(prisma: PrismaClient, letter: JobWithMetadata<unknown>): Promise<void> {
  if (!letter.sourceId) return;
  const id = letter.sourceId;
  await prisma.$transaction(async (tx) => {
    const job = await lockJob(tx, id);
    if (!job || hasEnded(job)) return;
    const message = `Its worker ended without a word ${job.attempt} times: see the worker's log, then start the job again.`;
    await endJob(tx, job, { state: 'FAILED', error: new CxrError('INTERNAL', message) });
  });
}
