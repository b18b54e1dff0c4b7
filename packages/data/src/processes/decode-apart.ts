import type { BitsInUse, BitsOptions } from '../pixels/bits.ts';
import type { DecodedImage } from '../pixels/image.ts';
import { type Processes, startProcesses } from './processes.ts';

/** An encoded image: its bytes, or its key in the object store, so that they never reach this process. */
export type Encoded = { bytes: Uint8Array } | { object: string };

export interface DecodeTask {
  encoded: Encoded;
  where: string;
  /** The edge to squash to; null: its own size. */
  size: number | null;
  options: BitsOptions;
}

export interface SquashedImage {
  /** Of the image itself. */
  width: number;
  height: number;
  /** [size, size] */
  pixels: Uint8Array;
  /** As a `DecodedImage` has it. */
  sixteen?: BitsInUse;
}

let processes: Processes | null = null;

function run(task: DecodeTask): Promise<unknown> {
  processes ??= startProcesses({ script: new URL('./decode-process.ts', import.meta.url) });
  return processes.run(task, { where: task.where });
}

/**
 * `decodeImage` in a process of its own, started with the first image and shared: for files of others, which may crash a decoder, keep it
 * busy or take more memory than there is. Errors of `decodeImage` and `getObject`, and those of `Processes.run`.
 */
export async function decodeApart(encoded: Encoded, where: string, options: BitsOptions = {}): Promise<DecodedImage> {
  return (await run({ encoded, where, size: null, options })) as DecodedImage;
}

/** The same, squashed to size x size; its own pixels never reach this process. */
export async function squashApart(encoded: Encoded, size: number, where: string, options: BitsOptions = {}): Promise<SquashedImage> {
  return (await run({ encoded, where, size, options })) as SquashedImage;
}
