/** Numbers of bits that radiographs come in: without a better word, the smallest that holds the greatest value [ours]. */
const USUAL_BITS = [8, 10, 12, 14, 16] as const;

export const MAX_BITS = 16;

/**
 * The source of a number of bits: the caller (a data set's or a card's), the PNG's sBIT chunk, or the smallest usual number that holds
 * the greatest value of the file.
 */
export type BitsSource = 'given' | 'sbit' | 'guess';

/** How the samples of a 16-bit file became 8 bits: `value * 255 / (2 ** bits - 1)`. */
export interface BitsInUse {
  bits: number;
  source: BitsSource;
  /** The greatest grey or colour sample of the file; alpha does not count. */
  greatest: number;
  /** The number in its sBIT chunk, the greatest over grey and colours; null without one. */
  sbit: number | null;
}

/** Decides the bits in use of a 16-bit file. It has no effect on 8-bit files, nor on DICOM, which states its bits itself. */
export interface BitsOptions {
  /** The number of the data set or the card; null or absent: the file decides for itself. */
  bits?: number | null;
  /** Values over the given bits are white. Default: a file with such values is read by its own bits, as the given ones cannot be its. */
  clip?: boolean;
}

/** The greatest value that so many bits hold. */
export function whiteOf(bits: number): number {
  return 2 ** bits - 1;
}

/** The smallest of 8, 10, 12, 14 and 16 bits that holds the value. */
export function smallestBits(greatest: number): number {
  return USUAL_BITS.find((bits) => greatest <= whiteOf(bits)) ?? MAX_BITS;
}

/**
 * The bits in use of one file. An sBIT chunk counts only where its bits hold every value: the PNG format wants samples scaled up to the
 * full range, and names by sBIT what they were before; then 16 bits are in use, whatever it says.
 */
export function bitsInUse(file: Pick<BitsInUse, 'greatest' | 'sbit'>, { bits = null, clip = false }: BitsOptions): BitsInUse {
  const { greatest, sbit } = file;
  if (bits !== null && (clip || greatest <= whiteOf(bits))) return { ...file, bits, source: 'given' };
  if (sbit !== null && greatest <= whiteOf(sbit)) return { ...file, bits: sbit, source: 'sbit' };
  return { ...file, bits: smallestBits(greatest), source: 'guess' };
}

const SIGNATURE_BYTES = 8;
/** Length, type and CRC32 around a chunk's data. */
const CHUNK_FRAME = 12;
const MAX_CHANNELS = 4;
/** Colour types of the header. */
const GREY_ALPHA = 4;
const COLOUR_ALPHA = 6;

/** The sBIT chunk of a 16-bit PNG: the greatest over grey or the three colours, without alpha; null without one, or where it is absurd. */
export function readSbit(png: Uint8Array): number | null {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  let colourType = 0;
  for (let at = SIGNATURE_BYTES; at + CHUNK_FRAME <= png.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    const data = png.subarray(at + 8, at + 8 + length);
    // sBIT stands before the pixels.
    if (type === 'IDAT' || data.length < length) return null;
    if (type === 'IHDR') colourType = data[9] ?? 0;
    if (type === 'sBIT') {
      if (data.length > MAX_CHANNELS) return null;
      const colours = colourType === GREY_ALPHA || colourType === COLOUR_ALPHA ? data.subarray(0, -1) : data;
      const bits = Math.max(0, ...colours);
      return bits >= 1 && bits <= MAX_BITS ? bits : null;
    }
    at += CHUNK_FRAME + length;
  }
  return null;
}
