import { createJobs, createPrisma, type JobHandlers } from '@cxr-lens/prisma';
import type { Logger } from 'pino';
import { type Engine, startEngine } from './engine/engine.ts';
import { evaluate } from './handlers/evaluate.ts';
import { explain } from './handlers/explain.ts';
import { train } from './handlers/train.ts';

export interface RunningWorker {
  /** Resolves when the engine has died and the worker's process must be started anew. */
  died: Promise<Error>;
  /** Aborts what runs (a training leaves a checkpoint), gives the jobs back to the queue, and lets go of everything. */
  stop(): Promise<void>;
}

/** Takes jobs from the database at `url` until it is stopped: one of each kind at a time, all on one engine. */
export async function startWorker({ url, log }: { url: string; log: Logger }): Promise<RunningWorker> {
  const prisma = createPrisma(url);
  const engine: Engine = startEngine();
  const jobs = await createJobs({ prisma, url, onError: (error) => log.error({ err: error }, error.message) });
  const services = { prisma, engine };
  const handlers: JobHandlers = {
    train: (job) => logged(log, job, () => train(services, job)),
    evaluate: (job) => logged(log, job, () => evaluate(services, job)),
    explain: (job) => logged(log, job, () => explain(services, job)),
  };
  await jobs.work(handlers);
  log.info('the worker takes jobs');

  async function stop(): Promise<void> {
    await jobs.stop();
    await engine.close();
    await prisma.$disconnect();
  }
  return { died: engine.died, stop };
}

async function logged(log: Logger, { jobId, attempt }: { jobId: string; attempt: number }, work: () => Promise<void>): Promise<void> {
  const started = performance.now();
  const seconds = (): number => Number(((performance.now() - started) / 1000).toFixed(3));
  log.info({ jobId, attempt }, 'job started');
  try {
    await work();
    log.info({ jobId, attempt, seconds: seconds() }, 'job done');
  } catch (error) {
    log.info({ jobId, attempt, seconds: seconds(), reason: error instanceof Error ? error.message : String(error) }, 'job ended early');
    throw error;
  }
}
