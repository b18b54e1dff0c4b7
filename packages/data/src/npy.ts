/// <reference lib="esnext.float16" />
import { readFile, writeFile } from 'node:fs/promises';
import { CxrError } from './error.ts';

/** An array as NumPy stores it, C order. `decodeNpy` reads float16 and float64 files as Float32Array, see `decodeFloat64Npy`. */
export interface NpyArray {
  shape: number[];
  data: Float32Array | Uint8Array;
}

export type NpyType = 'float64' | 'float32' | 'float16' | 'uint8';

const DESCRIPTORS: Record<NpyType, string> = { float64: '<f8', float32: '<f4', float16: '<f2', uint8: '|u1' };
const MAGIC = '\x93NUMPY';
/** NumPy aligns the data so. */
const ALIGNMENT = 64;

/** The bytes of a .npy file (version 1.0); `type` defaults to the array's own, 'float16' rounds to nearest even. */
export function encodeNpy(data: Float64Array | Float32Array | Uint8Array, shape: readonly number[], type?: NpyType): Uint8Array {
  const values = typed(data, type);
  if (values.length !== sizeOf(shape)) {
    throw new CxrError('INTERNAL', `An array of ${values.length} numbers does not have the shape [${shape.join(', ')}].`);
  }
  const descriptor = DESCRIPTORS[typeOf(values)];
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT - 10;
  const header = Buffer.alloc(10 + length, ' ');
  header.write(MAGIC, 'latin1');
  header.set([1, 0], 6);
  header.writeUInt16LE(length, 8);
  header.write(dictionary, 10, 'latin1');
  header.write('\n', 10 + length - 1, 'latin1');
  return Buffer.concat([header, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]);
}

/** Reads the bytes of a .npy file; `where` names it in errors. BAD_INPUT, UNSUPPORTED (another type or order) or CORRUPT (cut off). */
export function decodeNpy(bytes: Uint8Array, where: string): NpyArray {
  const { shape, descriptor, data } = readParts(bytes, where);
  return { shape, data: widened(descriptor, data) };
}

/** As `decodeNpy`, float64 files alone, with every bit. */
export function decodeFloat64Npy(bytes: Uint8Array, where: string): { shape: number[]; data: Float64Array } {
  const { shape, descriptor, data } = readParts(bytes, where);
  if (descriptor === DESCRIPTORS.float64) return { shape, data: new Float64Array(data) };
  throw new CxrError('UNSUPPORTED', `${where} holds numbers of the type ${descriptor}; expected ${DESCRIPTORS.float64}, float64.`);
}

function readParts(bytes: Uint8Array, where: string): { shape: number[]; descriptor: string; data: ArrayBuffer } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 12 || buffer.toString('latin1', 0, 6) !== MAGIC) {
    throw new CxrError('BAD_INPUT', `${where} is no .npy file: it does not begin with the magic of NumPy. Write it with numpy.save.`);
  }
  const wide = buffer[6]! > 1;
  const start = wide ? 12 : 10;
  const end = start + (wide ? buffer.readUInt32LE(8) : buffer.readUInt16LE(8));
  const { descriptor, shape } = parseDictionary(buffer.toString('latin1', start, end), where);
  const bytesEach = Number(descriptor.at(-1));
  const needed = sizeOf(shape) * bytesEach;
  if (buffer.length - end !== needed) {
    throw new CxrError(
      'CORRUPT',
      `${where} holds ${buffer.length - end} bytes of data; its shape [${shape.join(', ')}] needs ${needed}. Write it again.`,
    );
  }
  // A copy: the data need not be aligned in the file's bytes.
  return { shape, descriptor, data: Uint8Array.from(buffer.subarray(end)).buffer };
}

/** Writes one .npy file. */
export async function writeNpy(path: string, data: Float32Array | Uint8Array, shape: readonly number[], type?: NpyType): Promise<void> {
  await writeFile(path, encodeNpy(data, shape, type));
}

/** Reads one .npy file; NOT_FOUND when it is absent, else as `decodeNpy`. */
export async function readNpy(path: string): Promise<NpyArray> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new CxrError('NOT_FOUND', `${path} does not exist. Check the path.`, { cause });
    throw new CxrError('UNAVAILABLE', `${path} cannot be read: ${cause.message}.`, { cause });
  });
  return decodeNpy(bytes, path);
}

type Numbers = Float64Array | Float32Array | Float16Array | Uint8Array;

function typeOf(values: Numbers): NpyType {
  if (values instanceof Float64Array) return 'float64';
  if (values instanceof Float32Array) return 'float32';
  return values instanceof Uint8Array ? 'uint8' : 'float16';
}

function typed(data: Float64Array | Float32Array | Uint8Array, type: NpyType | undefined): Numbers {
  if (type === 'float64') return data instanceof Float64Array ? data : new Float64Array(data);
  if (type === 'float16') return new Float16Array(data);
  if (type === 'float32') return data instanceof Float32Array ? data : new Float32Array(data);
  if (type === 'uint8' && !(data instanceof Uint8Array))
    throw new CxrError('INTERNAL', 'Numbers are not rounded to uint8: pass a Uint8Array.');
  return data;
}

function widened(descriptor: string, data: ArrayBuffer): Float32Array | Uint8Array {
  if (descriptor === '|u1') return new Uint8Array(data);
  if (descriptor === '<f4') return new Float32Array(data);
  return new Float32Array(descriptor === '<f2' ? new Float16Array(data) : new Float64Array(data));
}

function parseDictionary(text: string, where: string): { descriptor: string; shape: number[] } {
  const descriptor = /'descr':\s*'([^']*)'/.exec(text)?.[1] ?? '';
  const shapeText = /'shape':\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  const fortran = /'fortran_order':\s*True/.test(text);
  if (shapeText === undefined || !['<f2', '<f4', '<f8', '|u1'].includes(descriptor) || fortran) {
    throw new CxrError(
      'UNSUPPORTED',
      `${where} has the header ${text.trim().slice(0, 120)}; expected float16, float32, float64 or uint8, little endian, C order. ` +
        'Convert it with numpy.ascontiguousarray(a, "<f4").',
    );
  }
  const shape = shapeText.split(',').flatMap((part) => (part.trim() ? [Number(part)] : []));
  return { descriptor, shape };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
