import { open, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { CxrError, throwIfCancelled } from '../error.ts';
import type { NihImage } from '../nih/nih.ts';
import { decodeSquashed } from '../pixels/decode.ts';
import type { OnProgress } from '../progress.ts';
import type { JournalLine } from './journal.ts';
import type { Target } from './target.ts';

export interface BadImage {
  name: string;
  /** What is wrong with the file, and what to do. */
  reason: string;
}

/** A line of the journal a slot, none where the image is bad. */
export interface FilledSlots {
  lines: (JournalLine | undefined)[];
  bad: BadImage[];
}

/** Fills every slot, some images at a time; the order in which they end leaves no trace in the file. */
export async function fillSlots(
  images: readonly NihImage[],
  target: Target,
  options: { size: number; onProgress?: OnProgress; signal?: AbortSignal },
): Promise<FilledSlots> {
  const { size, onProgress, signal } = options;
  const lines = new Array<JournalLine | undefined>(images.length);
  const reasons = new Map<number, string>();
  // One image a thread: libvips' own threads would only wait for each other.
  const threads = sharp.concurrency();
  sharp.concurrency(1);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    const read = fileReader();
    while (next < images.length) {
      throwIfCancelled(signal, 'Preparing');
      const slot = next++;
      try {
        lines[slot] = await fillSlot(images[slot]!, slot, { size, target, read });
      } catch (error) {
        if (!(error instanceof CxrError) || error.code === 'UNAVAILABLE') {
          next = images.length;
          throw error;
        }
        await target.writePixels(slot, new Uint8Array(size * size));
        reasons.set(slot, error.message);
      }
      done += 1;
      onProgress?.({ what: 'Decoding images', done, total: images.length });
    }
  };
  try {
    const workers = Array.from({ length: availableParallelism() + 2 }, work);
    const ended = await Promise.allSettled(workers);
    for (const worker of ended) if (worker.status === 'rejected') throw worker.reason;
  } finally {
    sharp.concurrency(threads);
  }
  const bad = [...reasons].sort(([a], [b]) => a - b).map(([slot, reason]) => ({ name: images[slot]!.name, reason }));
  return { lines, bad };
}

/** One slot: kept when an earlier run wrote it from the same file and its bytes are still right, else decoded and written. */
async function fillSlot(image: NihImage, slot: number, by: { size: number; target: Target; read: FileReader }): Promise<JournalLine> {
  const { size, target, read } = by;
  const { size: bytes, mtimeMs: modified } = await orUnreadable(image.file, stat(image.file));
  const known = target.known.get(slot);
  if (known?.bytes === bytes && known.modified === modified && crc32(await target.readPixels(slot)) === known.crc32) return known;
  const { pixels } = await decodeSquashed(await orUnreadable(image.file, read(image.file, bytes)), size, image.file);
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < pixels.length; at++) {
    const value = pixels[at]!;
    sum += value;
    squares += value * value;
  }
  await target.writePixels(slot, pixels);
  const line = { slot, bytes, modified, crc32: crc32(pixels), sum, squares };
  await target.addToJournal(line);
  return line;
}

/** The file's bytes, until the next call. */
type FileReader = (file: string, length: number) => Promise<Uint8Array>;

/** Reads one file after the other into the same memory: half a megabyte anew for each would keep the garbage collector busy. */
function fileReader(): FileReader {
  let memory = Buffer.alloc(0);
  return async (file, length) => {
    if (memory.length < length) memory = Buffer.allocUnsafeSlow(length);
    const handle = await open(file);
    try {
      let end = 0;
      while (end < length) {
        const { bytesRead } = await handle.read(memory, end, length - end, end);
        if (bytesRead === 0) break;
        end += bytesRead;
      }
      return memory.subarray(0, end);
    } finally {
      await handle.close();
    }
  };
}

async function orUnreadable<T>(file: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (cause) {
    throw new CxrError('NOT_FOUND', `${file} cannot be read: ${(cause as Error).message}. Check the disk, or copy it again.`, { cause });
  }
}
