import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Box } from '../box.ts';
import type { BoxedFinding } from '../findings.ts';
import { drawToFolder } from './draw.ts';
import type { PhantomImage } from './plan.ts';

/** What is known of one image once it is drawn: `truth/images/<name>.json`. */
export interface ImageTruth {
  boxes: Partial<Record<BoxedFinding, Box>>;
  cardiothoracicRatio: number;
  film: { width: number; height: number };
}

export interface DrawOptions {
  folder: string;
  seed: number;
  size: number;
}

/** Images below this number are drawn in the calling thread: starting workers would take longer. */
const ALONE = 12;
const BATCH = 4;

/** Draws images in worker threads, one a core. Stops after the images under way when the signal is aborted. */
export async function drawImages(
  images: readonly PhantomImage[],
  options: DrawOptions & { onDone(count: number): void; signal?: AbortSignal },
): Promise<void> {
  const { onDone, signal, ...draw } = options;
  if (images.length < ALONE) {
    for (const [i, image] of images.entries()) {
      if (signal?.aborted) return;
      await drawToFolder(image, draw);
      onDone(i + 1);
    }
    return;
  }
  let next = 0;
  let done = 0;
  const workers = Array.from({ length: Math.min(availableParallelism(), Math.ceil(images.length / BATCH)) }, () => {
    return new Worker(new URL('./worker.ts', import.meta.url), { workerData: draw });
  });
  const finished = workers.map(
    (worker) =>
      new Promise<void>((resolve, reject) => {
        const feed = (): void => {
          if (next >= images.length || signal?.aborted) {
            resolve();
            return;
          }
          worker.postMessage(images.slice(next, next + BATCH));
          next += BATCH;
        };
        worker.on('message', (count: number) => {
          done += count;
          onDone(done);
          feed();
        });
        worker.on('error', reject);
        worker.on('exit', (code) => reject(new Error(`A worker that draws phantoms ended with code ${code}.`)));
        feed();
      }),
  );
  try {
    await Promise.all(finished);
  } finally {
    for (const worker of workers) void worker.terminate();
  }
}
