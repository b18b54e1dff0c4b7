import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { CxrError } from '../error.ts';
import { FINDINGS, type Finding } from '../findings.ts';
import type { ReadFile } from '../nih/files.ts';
import { type KnownBox, SPLITS, type Split } from '../nih/nih.ts';
import { isPreprocessingVersion, preprocessingOf } from '../pixels/decode.ts';
import { decodeHeader, decodeIndex, type Header, PIXELS_OFFSET, type PreparedIndex } from './format.ts';
import { type MappedFile, mapFile } from './libc.ts';

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

/** A prepared data set, memory-mapped: opening it reads the index, not the pixels. */
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
  /** [size * size] uint8, a view of the mapped file; its CRC32 is checked on every call: CORRUPT names the image. */
  pixels(index: number): Uint8Array;
  /** Unmaps the file; views handed out before become empty. */
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
    return preparedData({ where, header, index, mapped: mapFile(handle.fd, length, where) });
  } finally {
    // The mapping outlives the descriptor.
    await handle.close();
  }
}

function preparedData(opened: { where: string; header: Header; index: PreparedIndex; mapped: MappedFile }): PreparedData {
  const { where, header, mapped } = opened;
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
    pixels(row) {
      const entry = entries[row];
      if (!entry) throw new CxrError('NOT_FOUND', `${where} has no image number ${row}; it has ${entries.length}.`);
      if (mapped.bytes.length === 0) throw new CxrError('INTERNAL', `${where} was closed before ${entry.name} was read.`);
      const start = PIXELS_OFFSET + entry.slot * area;
      const view = mapped.bytes.subarray(start, start + area);
      if (crc32(view) === entry.crc32) return view;
      throw new CxrError(
        'CORRUPT',
        `${where}: the pixels of ${entry.name} do not have their CRC32. Copy the file again, or prepare the data again.`,
      );
    },
    close: mapped.unmap,
  };
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
