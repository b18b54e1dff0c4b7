import { CxrError } from '@cxr-lens/data';
import { type Entry, readHeader, shown, volume } from './safetensors-header.ts';

/** A float32 tensor outside of TensorFlow, row-major. */
export interface HostTensor {
  shape: number[];
  data: Float32Array;
}

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
 * Reads float32 tensors and metadata. The tensors are copies. PyTorch's counters, which are no weights, are passed over whatever their type.
 * @param where the file's name, for messages
 * CxrError CORRUPT as `readHeader`; UNSUPPORTED: another type than F32.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  where: string,
): { tensors: Map<string, HostTensor>; metadata: Record<string, string> } {
  const { entries, metadata, start } = readHeader(bytes, where);
  const tensors = new Map<string, HostTensor>();
  for (const [name, { dtype, shape, data_offsets }] of entries) {
    if (isCounter(name)) continue;
    if (dtype !== 'F32') {
      throw new CxrError(
        'UNSUPPORTED',
        `${where}: tensor ${shown(name)} has type ${shown(dtype)}; F32 is read. scripts/to-safetensors.py writes a network's weights so.`,
      );
    }
    const [begin, end] = data_offsets;
    // A copy, which also aligns it; a Buffer's own slice is none.
    tensors.set(name, { shape, data: new Float32Array(new Uint8Array(bytes.subarray(start + begin, start + end)).buffer) });
  }
  return { tensors, metadata };
}

/** PyTorch's count of the batches that batch norm has seen, or of the networks that were averaged: no weight. */
function isCounter(name: string): boolean {
  return /(^|\.)(num_batches_tracked|n_averaged)$/.test(name);
}
