import { CxrError } from '@cxr-lens/data';

/** A float32 tensor outside of TensorFlow, row-major. */
export interface HostTensor {
  shape: number[];
  data: Float32Array;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const HEADER_LIMIT = 100_000_000;

/**
 * The bytes of a safetensors file: header length (8 bytes, little endian), JSON header, data. Tensors are sorted by name, and the
 * header is padded so that the data starts at a multiple of 8: the same tensors are the same bytes.
 */
export function encodeSafetensors(tensors: ReadonlyMap<string, HostTensor>, metadata: Record<string, string> = {}): Uint8Array {
  const names = [...tensors.keys()].sort();
  const header: Record<string, Entry | Record<string, string>> = {};
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  let end = 0;
  for (const name of names) {
    const { shape, data } = tensors.get(name)!;
    if (data.length !== volume(shape))
      throw new CxrError('INTERNAL', `Tensor ${name} is ${shape.join(' x ')} and has ${data.length} values.`);
    header[name] = { dtype: 'F32', shape: [...shape], data_offsets: [end, end + 4 * data.length] };
    end += 4 * data.length;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8)), 'utf8');
  const bytes = new Uint8Array(8 + json.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let offset = 8 + json.length;
  for (const name of names) {
    const { data } = tensors.get(name)!;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads float32 tensors and metadata. The tensors are copies; PyTorch's `num_batches_tracked` (I64) are passed over.
 * @param where the file's name, for messages
 * CxrError CORRUPT: lengths that do not fit, a header that is no JSON object, tensors that overlap or leave gaps; UNSUPPORTED: another
 * type than F32.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  where: string,
): { tensors: Map<string, HostTensor>; metadata: Record<string, string> } {
  const { header, start } = readHeader(bytes, where);
  const tensors = new Map<string, HostTensor>();
  const parts: [number, number][] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = readMetadata(value, where);
      continue;
    }
    const { dtype, shape, data_offsets } = readEntry(value, name, where);
    const [begin, end] = data_offsets;
    if (end > bytes.length - start) {
      throw new CxrError('CORRUPT', `${where}: tensor ${name} ends at byte ${start + end} of ${bytes.length}; the file is cut off.`);
    }
    parts.push(data_offsets);
    if (isCounter(name, dtype)) continue;
    // A copy, which also aligns it; a Buffer's own slice is none.
    tensors.set(name, { shape, data: new Float32Array(new Uint8Array(bytes.subarray(start + begin, start + end)).buffer) });
  }
  checkCoverage(parts, bytes.length - start, where);
  return { tensors, metadata };
}

function readHeader(bytes: Uint8Array, where: string): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8)
    throw new CxrError('CORRUPT', `${where} has ${bytes.length} bytes; a safetensors file starts with 8 for its header's length.`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > HEADER_LIMIT || 8 + length > bytes.length) {
    throw new CxrError('CORRUPT', `${where} claims a header of ${length} bytes and has ${bytes.length}: cut off, or no safetensors file.`);
  }
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)));
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) return { header: { ...header }, start: 8 + length };
  } catch (cause) {
    throw new CxrError('CORRUPT', `${where}: the header is no JSON: cut off, or no safetensors file.`, { cause });
  }
  throw new CxrError('CORRUPT', `${where}: the header is no JSON object.`);
}

function readMetadata(value: unknown, where: string): Record<string, string> {
  const entries = Object.entries(Object(value));
  if (entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) return Object.fromEntries(entries);
  throw new CxrError('CORRUPT', `${where}: the metadata holds something that is no text.`);
}

function readEntry(value: unknown, name: string, file: string): Entry {
  const where = `${file}: tensor ${name}`;
  const { dtype, shape, data_offsets: offsets } = Object(value) as Partial<Record<keyof Entry, unknown>>;
  if (dtype !== 'F32' && !isCounter(name, dtype)) {
    throw new CxrError('UNSUPPORTED', `${where} has type ${String(dtype)}; F32 is read.`);
  }
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2)
    throw new CxrError('CORRUPT', `${where} has no proper shape and place.`);
  const [begin, end] = offsets as [number, number];
  const expected = (dtype === 'F32' ? 4 : 8) * volume(shape);
  if (end - begin !== expected) {
    throw new CxrError('CORRUPT', `${where} is ${shape.join(' x ')} and takes ${end - begin} bytes; expected ${expected}.`);
  }
  return { dtype, shape, data_offsets: [begin, end] };
}

/** PyTorch's count of the batches that batch norm has seen: no weight. */
function isCounter(name: string, dtype: unknown): dtype is 'I64' {
  return dtype === 'I64' && /(^|\.)num_batches_tracked$/.test(name);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Tensors fill the data without gap or overlap, as the format demands. */
function checkCoverage(parts: [number, number][], length: number, where: string): void {
  let end = 0;
  for (const [begin, next] of parts.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin !== end) throw new CxrError('CORRUPT', `${where}: its tensors overlap or leave a gap at byte ${end} of the data.`);
    end = next;
  }
  if (end !== length) throw new CxrError('CORRUPT', `${where}: its tensors end at byte ${end} of ${length} of the data.`);
}

function volume(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
