import { createJobs, createPrisma, type JobHandlers, retryFailedExplanations } from '@cxr-lens/prisma';
import type { Logger } from 'pino';
import { type Batcher, createBatcher } from './batcher.ts';
import { type Engine, startEngine } from './engine/engine.ts';
import type { RunExplanation } from './engine/protocol.ts';
import { evaluate } from './handlers/evaluate.ts';
import { type ExplainItem, explain } from './handlers/explain.ts';
import { phantom } from './handlers/phantom.ts';
import { train } from './handlers/train.ts';
import { tidyObjects } from './tidy.ts';

export interface RunningWorker {
  /** Resolves when the engine has died and the worker's process must be started anew. */
  died: Promise<Error>;
  /** Aborts what runs (a training leaves a checkpoint), gives the jobs back to the queue, and lets go of everything. */
  stop(): Promise<void>;
}

/**
 * Explanations that are under way at once, and images of one call. Eight is a size that passes are compiled for, and leaves two of the
 * database's ten connections to a training and an evaluation; twice as many would make another run's images wait twice as long.
 */
const TOGETHER = 8;

const BATCHES_EVERY_MS = 5 * 60_000;
const RETRY_EVERY_MS = 5 * 60_000;

/** Takes jobs from the database at `url` until it is stopped: a training, an evaluation and some explanations at a time, on one engine. */
export async function startWorker({ url, log }: { url: string; log: Logger }): Promise<RunningWorker> {
  const prisma = createPrisma(url);
  const engine: Engine = startEngine();
  const jobs = await createJobs({ prisma, url, onError: (error) => log.error({ err: error }, error.message) });
  const batcher = explainOn(engine);
  const services = { prisma, engine, batcher };
  const batches = tellBatches(log, batcher);
  const tidying = tidyObjects(prisma, log);
  const handlers: JobHandlers = {
    phantom: (job) => logged(log, job, () => phantom(services, job)),
    train: (job) => logged(log, job, () => train(services, job)),
    evaluate: (job) => logged(log, job, () => evaluate(services, job)),
    explain: (job) => logged(log, job, () => explain(services, job)),
  };
  await jobs.work(handlers, { explain: TOGETHER });
  const retries = retryNowAndThen(log, { prisma, jobs });
  log.info('the worker takes jobs');

  async function stop(): Promise<void> {
    clearInterval(retries);
    await jobs.stop();
    batches.stop();
    await tidying.stop();
    await engine.close();
    await prisma.$disconnect();
  }
  return { died: engine.died, stop };
}

/**
 * What is asked of one run while another call runs goes together. Nothing waits longer for company: what images share are the passes for
 * logits and maps, and most of the time goes into the saliency, each image's own.
 */
function explainOn(engine: Engine): Batcher<ExplainItem, RunExplanation> {
  return createBatcher({
    most: TOGETHER,
    call: (items, { signal, onAnswer }) =>
      engine.call(
        'explain',
        { run: items[0]!.run, cardSha256: items[0]!.cardSha256, images: items.map(({ image }) => image) },
        { signal, onExplained: onAnswer, onProgress: () => undefined, beforeWrite: () => Promise.resolve() },
      ),
  });
}

/** Logs how many calls were of how many images since the start: at the end, and now and then while there are more. */
function tellBatches(log: Logger, { sizes }: Pick<Batcher<unknown, unknown>, 'sizes'>): { stop(): void } {
  let told = 0;
  const tell = (): void => {
    const calls = [...sizes.values()].reduce((sum, count) => sum + count, 0);
    if (calls === told) return;
    told = calls;
    log.info({ batches: Object.fromEntries(sizes) }, 'calls by how many images they explained');
  };
  const timer = setInterval(tell, BATCHES_EVERY_MS).unref();
  return {
    stop() {
      clearInterval(timer);
      tell();
    },
  };
}

/** At the start, since a worker is often started again after a repair, and every few minutes. */
function retryNowAndThen(log: Logger, queue: Parameters<typeof retryFailedExplanations>[0]): NodeJS.Timeout {
  const retry = async (): Promise<void> => {
    const images = await retryFailedExplanations(queue);
    if (images > 0) log.info({ images }, 'explanations that failed are tried again');
  };
  const look = (): void => void retry().catch((error: unknown) => log.warn({ err: error }, 'failed explanations were not looked for'));
  look();
  return setInterval(look, RETRY_EVERY_MS).unref();
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
