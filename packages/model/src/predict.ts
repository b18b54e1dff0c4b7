import { setImmediate } from 'node:timers/promises';
import { FINDINGS, type OnProgress, type PreparedData, throwIfCancelled } from '@cxr-lens/data';
import { relieveMemory } from './engine/memory.ts';
import { pixelArray } from './images.ts';
import { inferenceOf } from './inference.ts';
import type { Network } from './networks/network.ts';
import { passSizes } from './pass-size.ts';

/** Images that are read at once, to be predicted in one pass or a few. */
export const INFERENCE_BATCH = passSizes().at(-1)!;

export interface PredictOptions {
  /** What the progress line says. */
  what: string;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Logits of the images with batch norm's moving averages, by a network whose weights are final.
 * @returns [rows.length * 14], row-major, findings in their order
 * @throws CxrError CANCELLED
 */
export async function predictLogits(
  network: Network,
  data: PreparedData,
  rows: readonly number[],
  options: PredictOptions,
): Promise<Float32Array> {
  const inference = inferenceOf(network);
  const logits = new Float32Array(rows.length * FINDINGS.length);
  await forBatches(rows, options, (part, start) => {
    logits.set(inference.logits(pixelArray(data, part).data), start * FINDINGS.length);
  });
  return logits;
}

/** Calls `work` with each batch of `size` rows and its start, letting other work run in between; CxrError CANCELLED once the signal is aborted. */
export async function forBatches<T>(
  rows: readonly T[],
  { what, onProgress, signal, size = INFERENCE_BATCH }: PredictOptions & { size?: number },
  work: (part: readonly T[], start: number) => void | Promise<void>,
): Promise<void> {
  for (let start = 0; start < rows.length; start += size) {
    throwIfCancelled(signal, what);
    await work(rows.slice(start, start + size), start);
    relieveMemory();
    onProgress?.({ what, done: Math.min(rows.length, start + size), total: rows.length });
    await setImmediate();
  }
}
