import { open, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { CxrError, throwIfCancelled } from '../error.ts';
import type { NihImage } from '../nih/nih.ts';
import { decodeSquashed } from '../pixels/decode.ts';
import type { OnProgress } from '../progress.ts';
import { type DataSetBits, decideBits, type SixteenBitFile } from './bits.ts';
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
  /** Null where no file has 16 bits. */
  bits: DataSetBits | null;
}

interface FillOptions {
  size: number;
  /** Bits in use of all 16-bit files; undefined: they decide. */
  bits?: number | undefined;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Fills every slot, some images at a time; the order in which they end leaves no trace in the file. The bits in use are known when the
 * last 16-bit file has been seen: until then each is read by the best guess, and those that were read by another number once more.
 */
export async function fillSlots(images: readonly NihImage[], target: Target, options: FillOptions): Promise<FilledSlots> {
  const filling: Filling = { ...options, images, target, lines: new Array(images.length), reasons: new Map(), guess: options.bits ?? 0 };
  await fill(filling, { what: 'Decoding images', slots: [...images.keys()] });
  const bits = decideBits(sixteenBitFiles(filling), options.bits);
  if (bits) {
    filling.bits = bits.bits;
    const otherBits = ({ sixteen }: JournalLine): boolean => sixteen !== undefined && sixteen.bits !== bits.bits;
    const again = filling.lines.flatMap((line) => (line && otherBits(line) ? [line.slot] : []));
    if (again.length > 0) await fill(filling, { what: `Decoding 16-bit images by ${bits.bits} bits`, slots: again });
  }
  const bad = [...filling.reasons].sort(([a], [b]) => a - b).map(([slot, reason]) => ({ name: images[slot]!.name, reason }));
  return { lines: filling.lines, bad, bits };
}

interface Filling extends FillOptions {
  images: readonly NihImage[];
  target: Target;
  lines: (JournalLine | undefined)[];
  /** Why a slot's image is bad. */
  reasons: Map<number, string>;
  /** The bits that hold every 16-bit file so far. */
  guess: number;
}

function sixteenBitFiles({ images, lines }: Filling): SixteenBitFile[] {
  return lines.flatMap((line) => {
    if (!line?.sixteen) return [];
    const { name, split } = images[line.slot]!;
    return [{ name, split, ...line.sixteen }];
  });
}

/** Fills the given slots, some images at a time. */
async function fill(filling: Filling, { what, slots }: { what: string; slots: readonly number[] }): Promise<void> {
  const { target, size, lines, reasons, onProgress, signal } = filling;
  // One image a thread: libvips' own threads would only wait for each other.
  const threads = sharp.concurrency();
  sharp.concurrency(1);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    const read = fileReader();
    while (next < slots.length) {
      throwIfCancelled(signal, 'Preparing');
      const slot = slots[next++]!;
      try {
        lines[slot] = await fillSlot(filling, slot, read);
      } catch (error) {
        if (!(error instanceof CxrError) || error.code === 'UNAVAILABLE') {
          next = slots.length;
          throw error;
        }
        await target.writePixels(slot, new Uint8Array(size * size));
        lines[slot] = undefined;
        reasons.set(slot, error.message);
      }
      done += 1;
      onProgress?.({ what, done, total: slots.length });
    }
  };
  try {
    const workers = Array.from({ length: availableParallelism() + 2 }, work);
    const ended = await Promise.allSettled(workers);
    for (const worker of ended) if (worker.status === 'rejected') throw worker.reason;
  } finally {
    sharp.concurrency(threads);
  }
}

/** One slot: kept when an earlier run wrote it from the same file and its bytes are still right, else decoded and written. */
async function fillSlot(filling: Filling, slot: number, read: FileReader): Promise<JournalLine> {
  const { images, target, size, bits: decided } = filling;
  const { file } = images[slot]!;
  const { size: bytes, mtimeMs: modified } = await orUnreadable(file, stat(file));
  const known = target.known.get(slot);
  const same = known?.bytes === bytes && known.modified === modified;
  if (
    same &&
    (decided === undefined || (known.sixteen?.bits ?? decided) === decided) &&
    crc32(await target.readPixels(slot)) === known.crc32
  ) {
    if (known.sixteen) filling.guess = Math.max(filling.guess, known.sixteen.bits);
    return known;
  }
  const encoded = await orUnreadable(file, read(file, bytes));
  const bits = decided ?? (filling.guess || null);
  const { pixels, sixteen } = await decodeSquashed(encoded, size, file, { bits, clip: decided !== undefined });
  if (sixteen) filling.guess = Math.max(filling.guess, sixteen.bits);
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < pixels.length; at++) {
    const value = pixels[at]!;
    sum += value;
    squares += value * value;
  }
  await target.writePixels(slot, pixels);
  const line: JournalLine = { slot, bytes, modified, crc32: crc32(pixels), sum, squares };
  if (sixteen) line.sixteen = { greatest: sixteen.greatest, sbit: sixteen.sbit, bits: sixteen.bits };
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
