import { CxrError } from '@cxr-lens/data';
import { z } from 'zod';

/** One tensor of a safetensors file. */
export interface Entry {
  dtype: string;
  shape: number[];
  /** First byte and the one after the last, counted from the start of the data. */
  data_offsets: [number, number];
}

// The format's own limit.
const HEADER_LIMIT = 100_000_000;

/** Bytes of one value. The format's other types, of eight bits and less, are not measured. */
const WIDTHS = new Map(
  Object.entries({ BOOL: 1, U8: 1, I8: 1, I16: 2, U16: 2, F16: 2, BF16: 2, I32: 4, U32: 4, F32: 4, I64: 8, U64: 8, F64: 8 }),
);

// PyTorch's limit.
const RANK_LIMIT = 64;

/** One check a list: zod's own would keep an issue for each of millions of sides. */
function sizes<T extends number[]>(least: number, most: number): z.ZodType<T> {
  return z.custom<T>(
    (value) =>
      Array.isArray(value) &&
      value.length >= least &&
      value.length <= most &&
      value.every((size) => Number.isSafeInteger(size) && size >= 0),
  );
}

const EntrySchema = z.object({ dtype: z.string(), shape: sizes<number[]>(0, RANK_LIMIT), data_offsets: sizes<[number, number]>(2, 2) });
const MetadataSchema = z.record(z.string(), z.string());

/**
 * The header of a safetensors file: every entry has a type, a shape and as many bytes as both say, and the entries fill the data.
 * @param where the file's name, for messages
 * CxrError CORRUPT: lengths that do not fit, a header that is no JSON object or has a name twice, tensors that overlap or leave gaps.
 */
export function readHeader(
  bytes: Uint8Array,
  where: string,
): { entries: Map<string, Entry>; metadata: Record<string, string>; start: number } {
  const { text, start } = headerText(bytes, where);
  const entries = new Map<string, Entry>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseHeader(text, where))) {
    if (name === '__metadata__') metadata = readMetadata(value, where);
    else entries.set(name, readEntry(value, `${where}: tensor ${shown(name)}`, bytes.length - start));
  }
  checkCoverage([...entries.values()], bytes.length - start, where);
  return { entries, metadata, start };
}

/** A name of a file as messages show it: in quotes where it is not plain, cut where it is long. */
export function shown(name: string): string {
  const cut = name.length > 100 ? `${name.slice(0, 100)}...` : name;
  return /^[\w.-]+$/.test(cut) ? cut : JSON.stringify(cut);
}

export function volume(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function headerText(bytes: Uint8Array, where: string): { text: string; start: number } {
  if (bytes.length < 8)
    throw new CxrError('CORRUPT', `${where} has ${bytes.length} bytes; a safetensors file starts with 8 for its header's length.`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > HEADER_LIMIT || 8 + length > bytes.length) {
    throw new CxrError('CORRUPT', `${where} claims a header of ${length} bytes and has ${bytes.length}: cut off, or no safetensors file.`);
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)), start: 8 + length };
  } catch (cause) {
    throw notJson(where, cause);
  }
}

function parseHeader(text: string, where: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw notJson(where, cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new CxrError('CORRUPT', `${where}: the header is no JSON object.`);
  }
  const twice = repeatedKey(text);
  if (twice !== null) throw new CxrError('CORRUPT', `${where}: the header has ${shown(twice)} twice; expected each name once.`);
  return { ...header };
}

function notJson(where: string, cause: unknown): CxrError {
  return new CxrError('CORRUPT', `${where}: the header is no JSON: cut off, or no safetensors file.`, { cause });
}

/** The first key that one of the two outer objects of valid JSON has twice, of which JSON.parse keeps the last without a word. */
function repeatedKey(json: string): string | null {
  const keys: Set<string>[] = [];
  let depth = 0;
  let last = '';
  for (let i = 0; i < json.length; i++) {
    const character = json[i]!;
    if (character === '"') {
      const from = i++;
      while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
      if (depth <= 2) last = json.slice(from, i + 1);
    } else if (character === '{' || character === '[') {
      depth += 1;
      if (depth <= 2) keys[depth] = new Set();
    } else if (character === '}' || character === ']') {
      depth -= 1;
    } else if (character === ':' && depth <= 2) {
      const key = JSON.parse(last) as string;
      if (keys[depth]!.has(key)) return key;
      keys[depth]!.add(key);
    }
  }
  return null;
}

function readMetadata(value: unknown, where: string): Record<string, string> {
  const parsed = MetadataSchema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw new CxrError('CORRUPT', `${where}: the metadata holds something that is no text.`);
}

function readEntry(value: unknown, where: string, length: number): Entry {
  const parsed = EntrySchema.safeParse(value);
  if (!parsed.success) {
    const field = parsed.error.issues[0]!.path[0];
    const expected = field === 'dtype' ? 'type (such as "F32")' : 'shape and place';
    throw new CxrError('CORRUPT', `${where} has no proper ${expected}; make the file again.`);
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  const [begin, end] = offsets;
  if (begin > end) throw new CxrError('CORRUPT', `${where} ends at byte ${end}, before its start at ${begin}; make the file again.`);
  if (end > length) throw new CxrError('CORRUPT', `${where} ends at byte ${end} of ${length} of the data; the file is cut off.`);
  const width = WIDTHS.get(dtype);
  if (width !== undefined && end - begin !== width * volume(shape)) {
    const size = shape.length === 0 ? 'one number' : shape.join(' x ');
    throw new CxrError('CORRUPT', `${where} is ${size} and takes ${end - begin} bytes; expected ${width * volume(shape)}.`);
  }
  return parsed.data;
}

/** Tensors fill the data without gap or overlap, as the format demands. */
function checkCoverage(entries: readonly Entry[], length: number, where: string): void {
  let end = 0;
  for (const [begin, next] of entries.map((entry) => entry.data_offsets).sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin !== end) throw new CxrError('CORRUPT', `${where}: its tensors overlap or leave a gap at byte ${end} of the data.`);
    end = next;
  }
  if (end !== length) throw new CxrError('CORRUPT', `${where}: its tensors end at byte ${end} of ${length} of the data.`);
}
