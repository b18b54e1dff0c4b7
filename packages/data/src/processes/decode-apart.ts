import type { DecodedImage } from '../pixels/image.ts';
import { type Processes, startProcesses } from './processes.ts';

let processes: Processes | null = null;

/**
 * `decodeImage` in a process of its own, started with the first image and shared: for files of others, which may crash a decoder, keep it
 * busy or take more memory than there is. Errors of `decodeImage`, and those of `Processes.run`.
 */
export async function decodeApart(bytes: Uint8Array, where: string): Promise<DecodedImage> {
  processes ??= startProcesses({ script: new URL('./decode-process.ts', import.meta.url) });
  return (await processes.run({ bytes, where }, { where })) as DecodedImage;
}
