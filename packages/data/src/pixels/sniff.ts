import { CxrError } from '../error.ts';
import type { ImageFormat } from './image.ts';

/** Width x height at most, checked before memory is taken: 8192 x 8192 holds the largest digitised film [ours]. */
export const MAX_PIXELS = 8192 * 8192;

/** The format by the first bytes; BAD_INPUT when they belong to none, and says what they look like. */
export function sniffFormat(bytes: Uint8Array, where: string): ImageFormat {
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png';
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return 'jpeg';
  if (hasPreamble(bytes) || bareDicomSyntax(bytes)) return 'dicom';
  throw new CxrError('BAD_INPUT', `${where} is no PNG, JPEG or DICOM file: it ${looksLike(bytes)}. Get the image itself and try again.`);
}

const IMPLICIT_LITTLE = '1.2.840.10008.1.2';
const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';
const EXPLICIT_BIG = '1.2.840.10008.1.2.2';

/** The transfer syntax of a DICOM data set that starts without preamble, told by its first element; null when it is none. */
export function bareDicomSyntax(bytes: Uint8Array): string | null {
  if (bytes.length < 12 || hasPreamble(bytes)) return null;
  const [a, b, c, d] = bytes;
  const explicit = /^[A-Z]{2}$/.test(ascii(bytes, 4, 6));
  // Every data set begins in group 0008 (or 0002, its file meta); group length or one of the first elements.
  if ((a === 0x08 || a === 0x02) && b === 0 && d === 0 && c! <= 0x20) {
    if (explicit) return EXPLICIT_LITTLE;
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
    return length <= bytes.length - 8 ? IMPLICIT_LITTLE : null;
  }
  return a === 0 && b === 0x08 && c === 0 && explicit ? EXPLICIT_BIG : null;
}

function hasPreamble(bytes: Uint8Array): boolean {
  return ascii(bytes, 128, 132) === 'DICM';
}

function looksLike(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'is empty';
  const text = ascii(bytes, 0, 200).trimStart().toLowerCase();
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) return 'is an HTML page, which is what a failed download leaves';
  if (bytes.subarray(0, 4096).every((byte) => byte === 0)) return 'begins with zeros only';
  const hex = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `begins with the bytes ${hex}`;
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
