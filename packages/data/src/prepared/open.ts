import { closeSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { CxrError } from '../error.ts';
import { FINDINGS, type Finding } from '../findings.ts';
import type { ReadFile } from '../nih/files.ts';
import { type KnownBox, SPLITS, type Split } from '../nih/nih.ts';
import { isPreprocessingVersion, preprocessingOf } from '../pixels/decode.ts';
import { decodeHeader, decodeIndex, type Header, PIXELS_OFFSET, type PreparedIndex } from './format.ts';

/** One image of a prepared file; boxes stay in pixels of the published 1024 x 1024 file. */
export interface PreparedImage {
  name: string;
  patientId: string;
  followUp: number;
  age: number | null;
  sex: 'F' | 'M' | null;
  view: 'PA' | 'AP';
  split: Split;
  findings: Finding[];
  boxes: KnownBox[];
}

/** A prepared data set. Opening it reads the index, not the pixels. */
export interface PreparedData {
  /** Absolute. */
  path: string;
  /** Width and height of every image. */
  size: number;
  name: string;
  preprocessingVersion: string;
  /** Bits in use of its 16-bit files; null where it has none, or where 0.1.0 prepared it. */
  bits: number | null;
  /** The tables and lists it was prepared from; empty where 0.1.0 prepared it. */
  sources: readonly ReadFile[];
  /** SHA-256 of the index, which holds every image's CRC32: it names the whole content, whatever the data set is called. */
  datasetHash: string;
  splitHash: string;
  seed: number;
  synthetic: boolean;
  images: readonly PreparedImage[];
  /** [N, 14], 0 or 1, columns as `FINDINGS`. */
  labels: Uint8Array;
  /** Of the training images' pixels in [0, 1]. */
  statistics: { mean: number; std: number };
  /** The indices of one split's images, ascending. */
  rows(split: Split): number[];
  /**
   * [size * size] uint8, read anew on every call, into `into` where it is given, and checked against their CRC32. CORRUPT names the image
   * whose pixels changed or are cut off, UNAVAILABLE the file that cannot be read any more.
   */
  pixels(index: number, into?: Uint8Array): Uint8Array;
  /** Lets go of the file; pixels handed out before stay. */
  close(): void;
}

/**
 * Opens a prepared file. NOT_FOUND; BAD_INPUT when it is none; UNSUPPORTED when another version of this program wrote it;
 * CORRUPT when it is cut off or its header or index changed. The pixels are checked when they are looked at.
 */
export async function openPrepared(file: string): Promise<PreparedData> {
  const where = path.resolve(file);
  const handle = await openFile(where);
  try {
    const { size: length } = await handle.stat();
    const header = decodeHeader(await readBytes(handle, 0, Math.min(PIXELS_OFFSET, length)), length, where);
    const index = decodeIndex(await readBytes(handle, header.indexOffset, header.indexLength), header, where);
    refuseOtherPreprocessing(index, header, where);
    // The same file, whatever has its name by now: it is read later, by code that may block.
    return preparedData({ where, header, index, descriptor: openSync(`/proc/self/fd/${handle.fd}`, 'r') });
  } finally {
    await handle.close();
  }
}

function preparedData(opened: { where: string; header: Header; index: PreparedIndex; descriptor: number }): PreparedData {
  const { where, header } = opened;
  let descriptor: number | null = opened.descriptor;
  const { images: entries, ...facts } = opened.index;
  const area = header.size * header.size;
  const rowsOf = new Map(SPLITS.map((split) => [split, entries.flatMap((entry, row) => (entry.split === split ? [row] : []))]));
  return {
    ...facts,
    path: where,
    name: header.name,
    bits: header.notes.bits,
    sources: header.notes.files,
    datasetHash: header.indexSha256,
    images: entries.map(({ slot: _slot, crc32: _crc32, ...image }) => image),
    labels: labelsOf(entries),
    rows: (split) => rowsOf.get(split)!,
    pixels(row, pixels = new Uint8Array(area)) {
      const entry = entries[row];
      if (!entry) throw new CxrError('NOT_FOUND', `${where} has no image number ${row}; it has ${entries.length}.`);
      if (descriptor === null) throw new CxrError('INTERNAL', `${where} was closed before ${entry.name} was read.`);
      const found = readAt(descriptor, { into: pixels, at: PIXELS_OFFSET + entry.slot * area, where });
      if (found === area && crc32(pixels) === entry.crc32) return pixels;
      throw new CxrError(
        'CORRUPT',
        `${where}: the pixels of ${entry.name} do not have their CRC32. Copy the file again, or prepare the data again.`,
      );
    },
    close() {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}

/**
 * Reads as many bytes as there are. Never through a mapping: looking at a page of a file that was cut off since ends the process with
 * SIGBUS, and a page may change between its check and its use.
 */
function readAt(descriptor: number, { into, at, where }: { into: Uint8Array; at: number; where: string }): number {
  let end = 0;
  try {
    for (let count = 1; count > 0 && end < into.length; end += count) count = readSync(descriptor, into, end, into.length - end, at + end);
  } catch (cause) {
    throw new CxrError('UNAVAILABLE', `${where} cannot be read: ${(cause as Error).message}. Check the disk, or copy the file again.`, {
      cause,
    });
  }
  return end;
}

async function readBytes(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}

async function openFile(where: string): Promise<FileHandle> {
  try {
    const handle = await open(where, 'r');
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new CxrError('NOT_FOUND', `There is no prepared data set at ${where}. "cxr-lens prepare" writes one.`, { cause });
    }
    throw new CxrError('UNAVAILABLE', `${where} cannot be opened: ${(cause as Error).message}.`, { cause });
  }
  throw new CxrError('BAD_INPUT', `${where} is no file; expected a prepared data set. "cxr-lens prepare" writes one from a folder.`);
}

function refuseOtherPreprocessing({ preprocessingVersion }: PreparedIndex, { notes }: Header, where: string): void {
  if (!isPreprocessingVersion(preprocessingVersion)) {
    throw new CxrError(
      'UNSUPPORTED',
      `${where} was prepared with preprocessing ${preprocessingVersion}, which this program does not know. Prepare the data again.`,
    );
  }
  if (preprocessingOf(notes.bits) === preprocessingVersion) return;
  throw new CxrError(
    'CORRUPT',
    `${where}: the index was made by preprocessing ${preprocessingVersion}, and the header says ${notes.bits ?? 'no'} bits in use. Prepare the data again.`,
  );
}

function labelsOf(entries: readonly { findings: readonly Finding[] }[]): Uint8Array {
  const labels = new Uint8Array(entries.length * FINDINGS.length);
  for (const [row, { findings }] of entries.entries()) {
    for (const finding of findings) labels[row * FINDINGS.length + FINDINGS.indexOf(finding)] = 1;
  }
  return labels;
}
