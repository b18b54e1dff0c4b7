/// <reference lib="esnext.float16" />
import { readFile, writeFile } from 'node:fs/promises';
import { CxrError } from './error.ts';
import { MAGIC, type NpyHeader, parseNpyHeader } from './npy-header.ts';

/**
 * An array in C order, whatever the order of the file. No number is rounded: Float32Array for float16 and float32, Uint8Array for uint8 and
 * bool (0 or 1), Float64Array for float64 and all other whole-number types.
 */
export interface NpyArray {
  shape: number[];
  data: Float32Array | Float64Array | Uint8Array;
}

export type NpyType = 'float64' | 'float32' | 'float16' | 'uint8';

const DESCRIPTORS: Record<NpyType, string> = { float64: '<f8', float32: '<f4', float16: '<f2', uint8: '|u1' };
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

/**
 * Reads the bytes of a .npy file; `where` names it in errors.
 * @throws CxrError BAD_INPUT (no .npy file), CORRUPT (cut off, a broken header), UNSUPPORTED (a type that is no number, a whole number that
 * float64 does not hold, a shape that no memory holds)
 */
export function decodeNpy(bytes: Uint8Array, where: string): NpyArray {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = parseNpyHeader(buffer, where);
  const { shape, count, bytesEach, dataStart, fortranOrder } = header;
  const held = buffer.length - dataStart;
  if (held !== count * bytesEach) {
    const needed = `its shape [${shape.join(', ')}] needs ${count * bytesEach}`;
    throw new CxrError('CORRUPT', `${where} holds ${held} bytes of data; ${needed}. Write it again.`);
  }
  // A copy: the data need not be aligned in the file's bytes.
  const copy = Buffer.from(Uint8Array.from(buffer.subarray(dataStart)).buffer);
  const data = numbersOf(copy, header, where);
  return { shape, data: fortranOrder && shape.length > 1 ? fromFortranOrder(data, shape) : data };
}

/** Writes one .npy file. */
export async function writeNpy(
  path: string,
  data: Float64Array | Float32Array | Uint8Array,
  shape: readonly number[],
  type?: NpyType,
): Promise<void> {
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

/** The numbers in the order of the file. `bytes` is changed. */
function numbersOf(bytes: Buffer<ArrayBuffer>, { kind, bytesEach, bigEndian }: NpyHeader, where: string): NpyArray['data'] {
  if (bigEndian && bytesEach === 2) bytes.swap16();
  if (bigEndian && bytesEach === 4) bytes.swap32();
  if (bigEndian && bytesEach === 8) bytes.swap64();
  const { buffer } = bytes;
  switch (`${kind}${bytesEach}`) {
    case 'f2':
      return new Float32Array(new Float16Array(buffer));
    case 'f4':
      return new Float32Array(buffer);
    case 'f8':
      return new Float64Array(buffer);
    case 'u1':
      return new Uint8Array(buffer);
    case 'b1':
      return new Uint8Array(buffer).map((byte) => (byte === 0 ? 0 : 1));
    case 'i1':
      return new Float64Array(new Int8Array(buffer));
    case 'i2':
      return new Float64Array(new Int16Array(buffer));
    case 'u2':
      return new Float64Array(new Uint16Array(buffer));
    case 'i4':
      return new Float64Array(new Int32Array(buffer));
    case 'u4':
      return new Float64Array(new Uint32Array(buffer));
    default:
      return exactNumbers(kind === 'i' ? new BigInt64Array(buffer) : new BigUint64Array(buffer), where);
  }
}

function exactNumbers(values: BigInt64Array | BigUint64Array, where: string): Float64Array {
  return Float64Array.from({ length: values.length }, (_, index) => {
    const value = Number(values[index]!);
    if (BigInt(value) === values[index]) return value;
    throw new CxrError(
      'UNSUPPORTED',
      `${where} holds ${values[index]} at place ${index}, which float64 does not hold exactly. Save it as float64 where rounding is harmless.`,
    );
  });
}

/** The last index varies fastest in the result, the first in `data`. */
function fromFortranOrder(data: NpyArray['data'], shape: readonly number[]): NpyArray['data'] {
  const ordered = data.slice();
  const index = shape.map(() => 0);
  for (const value of data) {
    let at = 0;
    for (const [axis, length] of shape.entries()) at = at * length + index[axis]!;
    ordered[at] = value;
    for (let axis = 0; axis < shape.length; axis++) {
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return ordered;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
