import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { CxrError } from '../error.ts';
import { BOXED_FINDINGS, FINDINGS } from '../findings.ts';
import { FILE_ROLES } from '../nih/files.ts';
import { SPLITS } from '../nih/nih.ts';
import { MAX_BITS } from '../pixels/bits.ts';

// A prepared file, all numbers little endian:
//   0     magic "CXRLENS" and a zero, u32 version, u32 size, u32 slots, u32 length of the name, u64 index offset, u64 index length,
//         SHA-256 of the index, the data set's name in UTF-8, zeros; the last four bytes of the page: CRC32 of all before them
//   1096  u32 length of the notes and the notes in JSON, `notesSchema`; a length of zero in files of 0.1.0, which passes over them
//   4096  slots * size * size bytes: the pixels of slot i, 8-bit grey, row-major; a slot that no image of the index names is zero
//   then  the index: one JSON document, `indexSchema`; it does not hold the name, so that its SHA-256 is of the content alone

export const PIXELS_OFFSET = 4096;
const MAGIC = 'CXRLENS\0';
const VERSION = 2;
const NAME_OFFSET = 72;
const CRC_OFFSET = PIXELS_OFFSET - 4;
/** Longest name of a data set, in bytes of UTF-8. */
export const NAME_BYTES = 1024;

const NOTES_OFFSET = NAME_OFFSET + NAME_BYTES;
const NOTES_BYTES = CRC_OFFSET - NOTES_OFFSET - 4;
/** Longest name of a table or list in the notes: four of them fit, however they are escaped. */
const NOTED_NAME = 96;

const box = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

const imageSchema = z.object({
  name: z.string(),
  slot: z.int().nonnegative(),
  crc32: z.int().nonnegative(),
  patientId: z.string(),
  followUp: z.number(),
  age: z.number().nullable(),
  sex: z.enum(['F', 'M']).nullable(),
  view: z.enum(['PA', 'AP']),
  split: z.enum(SPLITS),
  findings: z.array(z.enum(FINDINGS)),
  boxes: z.array(z.object({ finding: z.enum(BOXED_FINDINGS), box })),
});

const indexSchema = z.object({
  preprocessingVersion: z.string(),
  size: z.int().positive(),
  seed: z.number(),
  splitHash: z.string(),
  synthetic: z.boolean(),
  statistics: z.object({ mean: z.number(), std: z.number() }),
  images: z.array(imageSchema),
});

export type PreparedIndex = z.infer<typeof indexSchema>;

/** Facts about a prepared file that are no part of its content: they do not change `datasetHash`. */
const notesSchema = z.object({
  /** Bits in use of the 16-bit files; null where there is none, or where 0.1.0 wrote the file. */
  bits: z.int().min(1).max(MAX_BITS).nullable(),
  /** The tables and lists that were read. */
  files: z.array(z.object({ role: z.enum(FILE_ROLES), name: z.string(), sha256: z.string() })),
});

export type PreparedNotes = z.infer<typeof notesSchema>;

export interface Header {
  name: string;
  notes: PreparedNotes;
  size: number;
  slots: number;
  indexOffset: number;
  indexLength: number;
  indexSha256: string;
}

/** The index's bytes, and the first page of a file that holds them behind its pixels. `name` has at most NAME_BYTES. */
export function encodeFile(
  index: PreparedIndex,
  { name, slots, notes }: { name: string; slots: number; notes: PreparedNotes },
): { header: Buffer; index: Buffer } {
  const json = Buffer.from(JSON.stringify(index));
  const header = Buffer.alloc(PIXELS_OFFSET);
  header.write(MAGIC, 'latin1');
  header.writeUInt32LE(VERSION, 8);
  header.writeUInt32LE(index.size, 12);
  header.writeUInt32LE(slots, 16);
  header.writeUInt32LE(header.write(name, NAME_OFFSET, NAME_BYTES, 'utf8'), 20);
  header.writeBigUInt64LE(BigInt(indexOffset(slots, index.size)), 24);
  header.writeBigUInt64LE(BigInt(json.length), 32);
  createHash('sha256').update(json).digest().copy(header, 40);
  encodeNotes(notes).copy(header, NOTES_OFFSET);
  header.writeUInt32LE(crc32(header.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return { header, index: json };
}

function encodeNotes(notes: PreparedNotes): Buffer {
  const files = notes.files.map((file) => ({ ...file, name: file.name.slice(0, NOTED_NAME) }));
  const json = Buffer.from(JSON.stringify({ ...notes, files }));
  const bytes = Buffer.alloc(4 + json.length);
  bytes.writeUInt32LE(json.length);
  json.copy(bytes, 4);
  return bytes;
}

function decodeNotes(page: Buffer, where: string): PreparedNotes {
  const length = page.readUInt32LE(NOTES_OFFSET);
  if (length === 0) return { bits: null, files: [] };
  const start = NOTES_OFFSET + 4;
  try {
    return notesSchema.parse(JSON.parse(page.toString('utf8', start, start + Math.min(length, NOTES_BYTES))));
  } catch (cause) {
    throw new CxrError('CORRUPT', `${where}: the notes in the header are not as expected. Prepare the data again.`, { cause });
  }
}

/** Where the index begins, in bytes. */
export function indexOffset(slots: number, size: number): number {
  return PIXELS_OFFSET + slots * size * size;
}

/** Whether a file of ours begins so, of any version. */
export function hasMagic(bytes: Buffer): boolean {
  return bytes.subarray(0, 8).toString('latin1') === MAGIC;
}

/** Checks the first page against itself and the file's length. BAD_INPUT, UNSUPPORTED or CORRUPT. */
export function decodeHeader(page: Buffer, fileLength: number, where: string): Header {
  if (!hasMagic(page))
    throw new CxrError('BAD_INPUT', `${where} is no prepared data set. "cxr-lens prepare" writes one from a folder in NIH format.`);
  const version = page.length >= 12 ? page.readUInt32LE(8) : 0;
  if (version !== VERSION && page.length >= NAME_OFFSET) {
    throw new CxrError(
      'UNSUPPORTED',
      `${where} has format version ${version}; this program reads version ${VERSION}. Prepare the data again.`,
    );
  }
  if (page.length < PIXELS_OFFSET || page.readUInt32LE(CRC_OFFSET) !== crc32(page.subarray(0, CRC_OFFSET))) {
    throw new CxrError('CORRUPT', `${where}: the header is damaged or cut off. Copy the file again, or prepare the data again.`);
  }
  const header: Header = {
    name: page.toString('utf8', NAME_OFFSET, NAME_OFFSET + page.readUInt32LE(20)),
    notes: decodeNotes(page, where),
    size: page.readUInt32LE(12),
    slots: page.readUInt32LE(16),
    indexOffset: Number(page.readBigUInt64LE(24)),
    indexLength: Number(page.readBigUInt64LE(32)),
    indexSha256: page.subarray(40, 72).toString('hex'),
  };
  const expected = header.indexOffset + header.indexLength;
  if (fileLength !== expected) {
    throw new CxrError(
      'CORRUPT',
      `${where} has ${fileLength} bytes; expected ${expected}. It is cut off: copy it again, or prepare the data again.`,
    );
  }
  return header;
}

/** Checks the index against its SHA-256 and reads it. CORRUPT when a bit changed. */
export function decodeIndex(bytes: Uint8Array, header: Header, where: string): PreparedIndex {
  if (createHash('sha256').update(bytes).digest('hex') !== header.indexSha256) {
    throw new CxrError('CORRUPT', `${where}: the index does not have its SHA-256. Copy the file again, or prepare the data again.`);
  }
  const parsed = indexSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CxrError(
      'CORRUPT',
      `${where}: the index is not as expected (${issue?.path.join('.')}: ${issue?.message}). Prepare the data again.`,
    );
  }
  const fits = parsed.data.size === header.size && parsed.data.images.every((image) => image.slot < header.slots);
  if (!fits) throw new CxrError('CORRUPT', `${where}: the index does not fit the header. Prepare the data again.`);
  return parsed.data;
}
