import { CxrError } from './error.ts';

/** The header of a .npy file. */
export interface NpyHeader {
  /** NumPy's letter: f float, i integer, u unsigned integer, b boolean. */
  kind: 'f' | 'i' | 'u' | 'b';
  bytesEach: 1 | 2 | 4 | 8;
  bigEndian: boolean;
  /** Whether the first index varies fastest, as `numpy.save` writes a transposed array. */
  fortranOrder: boolean;
  shape: number[];
  /** How many numbers the shape holds. */
  count: number;
  /** Where the data begins. */
  dataStart: number;
}

export const MAGIC = '\x93NUMPY';

/** Like NumPy, which parses no longer header: one of numbers is 128 bytes long. */
const LONGEST_HEADER = 10_000;
/** NumPy's limit since 2.0. */
const MOST_DIMENSIONS = 64;

const TYPES = ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1'];

/**
 * Reads the header of a .npy file, format 1.0 to 3.0 (numpy.lib.format). Nothing in it is believed before it is checked.
 * @throws CxrError BAD_INPUT (no .npy file), UNSUPPORTED (format, type, size), CORRUPT (cut off, or nothing that NumPy writes)
 */
export function parseNpyHeader(buffer: Buffer, where: string): NpyHeader {
  if (buffer.length < 12 || buffer.toString('latin1', 0, 6) !== MAGIC) {
    throw new CxrError('BAD_INPUT', `${where} is no .npy file: it does not begin with the magic of NumPy. Write it with numpy.save.`);
  }
  const [major, minor] = [buffer[6]!, buffer[7]!];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new CxrError('UNSUPPORTED', `${where} has the .npy format ${major}.${minor}; expected 1.0 to 3.0. Write it with numpy.save.`);
  }
  const start = major === 1 ? 10 : 12;
  const length = major === 1 ? buffer.readUInt16LE(8) : buffer.readUInt32LE(8);
  if (start + length > buffer.length) {
    throw new CxrError('CORRUPT', `${where} ends within its header, which is to be ${length} bytes long. Write it again.`);
  }
  if (length > LONGEST_HEADER) {
    const limit = `${LONGEST_HEADER.toLocaleString('en')} bytes at most`;
    throw new CxrError('UNSUPPORTED', `${where} has a header of ${length} bytes; expected ${limit}. Save a plain array of numbers.`);
  }
  const entries = parseDictionary(buffer.toString('utf8', start, start + length), where);
  const shape = parseShape(entries.shape, where);
  const type = parseType(entries.descr, where);
  return {
    ...type,
    fortranOrder: entries.fortran === 'True',
    shape,
    count: countOf(shape, type.bytesEach, `${where} has the shape ${shown(entries.shape)}`),
    dataStart: start + length,
  };
}

interface Entries {
  descr: string;
  fortran: string;
  shape: string;
}

/** The literals of the three keys; NumPy writes exactly these, in any order, and so does this expect them. */
function parseDictionary(text: string, where: string): Entries {
  const entry = /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*('[^']*'|"[^"]*"|\[.*\]|\([^()]*\)|[^\s,{}()'"[\]]+)\s*(?:,|(?=\}))/sy;
  const inner = /^\s*\{(.*\})\s*$/s.exec(text)?.[1] ?? '';
  const found = new Map<string, string>();
  let end = 0;
  for (let match = entry.exec(inner); match; match = entry.exec(inner)) {
    found.set(match[2]!, match[3]!);
    end = entry.lastIndex;
  }
  const [descr, fortran, shape] = [found.get('descr'), found.get('fortran_order'), found.get('shape')];
  if (!/^\s*\}$/.test(inner.slice(end)) || descr === undefined || shape === undefined || (fortran !== 'True' && fortran !== 'False')) {
    throw new CxrError(
      'CORRUPT',
      `${where} has the header ${shown(text)}; expected a dictionary of descr, fortran_order (True or False) and shape. ` +
        'Write it again with numpy.save.',
    );
  }
  return { descr, fortran, shape };
}

function parseType(text: string, where: string): Pick<NpyHeader, 'kind' | 'bytesEach' | 'bigEndian'> {
  const [, order, type] = /^['"]([<>|])([fiub]\d)['"]$/.exec(text) ?? [];
  if (order === undefined || type === undefined || !TYPES.includes(type) || (order === '|' && type[1] !== '1')) {
    const objects = /^['"]\|?O\d*['"]$/.test(text) ? ' (Python objects, which are never unpickled)' : '';
    throw new CxrError(
      'UNSUPPORTED',
      `${where} holds the type ${shown(text)}${objects}; expected float16, float32, float64, a whole-number type of 8 to 64 bits or bool. ` +
        'Convert it with a.astype("<f4") and numpy.save.',
    );
  }
  return { kind: type[0] as NpyHeader['kind'], bytesEach: Number(type[1]) as NpyHeader['bytesEach'], bigEndian: order === '>' };
}

function parseShape(text: string, where: string): number[] {
  // Python 2 wrote long integers as 3L
  const inner = /^\(\s*((?:\d+L?\s*,\s*)*(?:\d+L?\s*)?)\)$/.exec(text)?.[1];
  const parts = inner?.split(',').map((part) => part.trim().replace('L', ''));
  if (!parts || (parts.length === 1 && parts[0] !== '')) {
    throw new CxrError('CORRUPT', `${where} has the shape ${shown(text)}; expected whole numbers, as (7, 7) or (49,). Write it again.`);
  }
  if (parts.at(-1) === '') parts.pop();
  return parts.map(Number);
}

/** A length of 0 makes the array empty; NumPy refuses impossible lengths beside it all the same. */
function countOf(shape: readonly number[], bytesEach: number, what: string): number {
  const bytes = shape.reduce((product, length) => product * Math.max(length, 1), bytesEach);
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(bytes) || shape.length > MOST_DIMENSIONS) {
    throw new CxrError('UNSUPPORTED', `${what}, which no memory holds. Write it again.`);
  }
  return shape.reduce((product, length) => product * length, 1);
}

function shown(text: string): string {
  const line = text.trim().replaceAll(/[^\x20-\x7e]+/g, ' ');
  return line.length > 120 ? `${line.slice(0, 120)}...` : line;
}
