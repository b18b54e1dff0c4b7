import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdir, open, stat, statfs, unlink } from 'node:fs/promises';
import path from 'node:path';
import { renameDurable } from '../durable.ts';
import { CxrError } from '../error.ts';
import { lockDescriptor } from '../file-lock.ts';
import { hasMagic, indexOffset, PIXELS_OFFSET } from './format.ts';
import { type Journal, type JournalLine, openJournal } from './journal.ts';

/** The file that is being written: `<out>.partial` with its journal, until `finish` gives it its name. */
export interface Target {
  path: string;
  /** What an earlier run left. */
  known: Journal['known'];
  readPixels(slot: number): Promise<Uint8Array>;
  writePixels(slot: number, pixels: Uint8Array): Promise<void>;
  addToJournal(line: JournalLine): Promise<void>;
  finish(header: Buffer, index: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Room for the index (a line an image) and the journal, beside the pixels. */
const BYTES_AN_ENTRY = 1024;
const SPARE_BYTES = 16 * 2 ** 20;

/** Opens the partial file for this process alone. CONFLICT, BAD_INPUT or UNAVAILABLE say why `out` cannot be written. */
export async function openTarget(options: { out: string; plan: unknown; slots: number; size: number }): Promise<Target> {
  const { out, plan, slots, size } = options;
  const partial = `${out}.partial`;
  const area = size * size;
  await refuseForeign(out);
  const handle = await openPartial(partial);
  let journal: Journal;
  try {
    await needSpace(out, indexOffset(slots, size) + slots * BYTES_AN_ENTRY, await handle.stat());
    journal = await orUnavailable(out, openJournal(`${out}.journal`, plan));
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    path: out,
    known: journal.known,
    readPixels: async (slot) => {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(area), 0, area, PIXELS_OFFSET + slot * area);
      return buffer.subarray(0, bytesRead);
    },
    writePixels: (slot, pixels) => writeAll({ handle, bytes: pixels, at: PIXELS_OFFSET + slot * area, out }),
    addToJournal: (line) => orUnavailable(out, journal.add(line)),
    async finish(header, index) {
      const end = indexOffset(slots, size);
      await writeAll({ handle, bytes: index, at: end, out });
      await writeAll({ handle, bytes: header, at: 0, out });
      await orUnavailable(out, handle.truncate(end + index.length));
      await orUnavailable(out, handle.sync());
      await orUnavailable(out, renameDurable(partial, out));
      await unlink(`${out}.journal`).catch(() => undefined);
    },
    async close() {
      await journal.close();
      await handle.close();
    },
  };
}

/** An earlier prepared file is replaced at the end; anything else of that name is somebody's work. */
async function refuseForeign(out: string): Promise<void> {
  const handle = await open(out, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new CxrError('UNAVAILABLE', `${out} cannot be opened: ${error.message}. Choose another --out.`, { cause: error });
  });
  if (!handle) return;
  try {
    const { buffer } = (await handle.stat()).isFile() ? await handle.read(Buffer.alloc(8), 0, 8, 0) : { buffer: null };
    if (!buffer) throw new CxrError('BAD_INPUT', `${out} is a folder; expected the name of a file to write. Choose another --out.`);
    if (!hasMagic(buffer))
      throw new CxrError('CONFLICT', `${out} exists and is no prepared data set; it is left alone. Choose another --out.`);
  } finally {
    await handle.close();
  }
}

async function openPartial(partial: string): Promise<FileHandle> {
  await orUnavailable(partial, mkdir(path.dirname(partial), { recursive: true }));
  const handle = await orUnavailable(partial, open(partial, constants.O_RDWR | constants.O_CREAT));
  // The other process may rename the file between our opening and locking it: then it is no partial file any more.
  const ours = lockDescriptor(handle.fd, partial) && (await handle.stat()).ino === (await stat(partial).catch(() => null))?.ino;
  if (ours) return handle;
  await handle.close();
  throw new CxrError('CONFLICT', `Another process is writing ${partial}. Wait until it is done, or choose another --out.`);
}

async function needSpace(out: string, bytes: number, partial: Stats): Promise<void> {
  const { bavail, bsize } = await statfs(path.dirname(out));
  const needed = bytes + SPARE_BYTES - partial.blocks * 512;
  if (bavail * bsize < needed) throw noSpace(out, `${megabytes(needed)} are needed and ${megabytes(bavail * bsize)} are free`);
}

async function writeAll(write: { handle: FileHandle; bytes: Uint8Array; at: number; out: string }): Promise<void> {
  for (let written = 0; written < write.bytes.length; ) {
    const { bytesWritten } = await orUnavailable(
      write.out,
      write.handle.write(write.bytes, written, write.bytes.length - written, write.at + written),
    );
    written += bytesWritten;
  }
}

async function orUnavailable<T>(out: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw noSpace(out, 'the disk is full', cause);
    throw new CxrError('UNAVAILABLE', `${out} cannot be written: ${(cause as Error).message}. Choose another --out.`, { cause });
  }
}

function noSpace(out: string, reason: string, cause?: unknown): CxrError {
  return new CxrError('UNAVAILABLE', `No space for ${out}: ${reason}. Free some or choose another --out; what is done is kept.`, { cause });
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
