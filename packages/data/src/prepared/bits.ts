import { CxrError } from '../error.ts';
import type { Split } from '../nih/nih.ts';
import { MAX_BITS, smallestBits, whiteOf } from '../pixels/bits.ts';

/** One 16-bit file's evidence of the bits in use. */
export interface SixteenBitFile {
  name: string;
  split: Split;
  greatest: number;
  sbit: number | null;
}

/** The bits in use of all 16-bit files of a data set: one number, so that equal samples are equal pixels in every image. */
export interface DataSetBits {
  bits: number;
  /** `--bits`, the files' sBIT chunks, or the smallest of 8, 10, 12, 14 and 16 that holds the greatest value. */
  source: 'option' | 'sbit' | 'guess';
  /** The 16-bit files. */
  images: number;
  greatest: { name: string; value: number };
  warnings: string[];
}

/** Images whose greatest value is below this share of white are near black. */
const NEAR_BLACK = 1 / 16;

/**
 * Decides once for the data set; null without a 16-bit file. BAD_INPUT names two files that contradict each other: only a person knows
 * then, and says so by `option`.
 */
export function decideBits(files: readonly SixteenBitFile[], option?: number): DataSetBits | null {
  const brightest = greatestOf(files);
  if (!brightest) return null;
  const decided: Pick<DataSetBits, 'bits' | 'source'> =
    option === undefined ? byFiles(files, brightest) : { bits: option, source: 'option' };
  const greatest = { name: brightest.name, value: brightest.greatest };
  const warnings = [
    ...silent(files, decided),
    ...clipped(files, brightest, decided),
    ...trainingAlone(files, brightest, decided),
    ...nearBlack(files, decided),
  ];
  return { ...decided, images: files.length, greatest, warnings };
}

function greatestOf(files: readonly SixteenBitFile[]): SixteenBitFile | undefined {
  return files.reduce<SixteenBitFile | undefined>((most, file) => (most && most.greatest >= file.greatest ? most : file), undefined);
}

function byFiles(files: readonly SixteenBitFile[], brightest: SixteenBitFile): Pick<DataSetBits, 'bits' | 'source'> {
  const claims = claimsOf(files);
  const [first, second] = claims;
  if (!first) return { bits: smallestBits(brightest.greatest), source: 'guess' };
  if (second) throw contradiction(`${saysOf(first)}, and ${saysOf(second)}`);
  const other = greatestOf(files.filter(({ sbit }) => sbit === null));
  if (other && other.greatest > whiteOf(first.bits)) {
    throw contradiction(`${saysOf(first)}, and ${other.name}, which has no sBIT chunk, holds the value ${other.greatest}`);
  }
  return { bits: first.bits, source: first.scaled ? 'guess' : 'sbit' };
}

interface Claim {
  bits: number;
  /** A file that makes it. */
  file: SixteenBitFile;
  /** The samples are scaled to the full range, as the PNG format wants it: the chunk says what they were before. */
  scaled: boolean;
}

/** One claim for each number in the sBIT chunks. Where the bits do not hold the values of all its files, the samples are scaled. */
function claimsOf(files: readonly SixteenBitFile[]): Claim[] {
  const claims = new Map<number, Claim>();
  for (const sbit of new Set(files.flatMap((file) => (file.sbit === null ? [] : [file.sbit])))) {
    const file = greatestOf(files.filter((candidate) => candidate.sbit === sbit))!;
    const scaled = file.greatest > whiteOf(sbit);
    const bits = scaled ? smallestBits(file.greatest) : sbit;
    if (!claims.has(bits)) claims.set(bits, { bits, file, scaled });
  }
  return [...claims.values()];
}

function saysOf({ bits, file, scaled }: Claim): string {
  return scaled
    ? `${file.name} holds the value ${file.greatest}, which takes ${bits} bits`
    : `${file.name} says by its sBIT chunk that ${bits} bits are in use`;
}

function contradiction(what: string): CxrError {
  return new CxrError(
    'BAD_INPUT',
    `The 16-bit images do not agree on the bits in use: ${what}. Say how many are in use with --bits, or prepare the two kinds apart. ` +
      'What is decoded is kept.',
  );
}

type Decided = Pick<DataSetBits, 'bits' | 'source'>;

/** Files without an sBIT chunk follow those that have one. */
function silent(files: readonly SixteenBitFile[], { bits, source }: Decided): string[] {
  const without = files.filter(({ sbit }) => sbit === null);
  const [first] = without;
  if (source !== 'sbit' || !first) return [];
  return [
    `${without.length} of ${files.length} 16-bit images have no sBIT chunk, as ${first.name}; they are read by the others' ${bits} bits.`,
  ];
}

/** Only a person's number can be too small. */
function clipped(files: readonly SixteenBitFile[], brightest: SixteenBitFile, { bits }: Decided): string[] {
  const white = whiteOf(bits);
  const count = files.filter(({ greatest }) => greatest > white).length;
  if (count === 0) return [];
  return [
    `${count} of ${files.length} 16-bit images hold values over ${white}, the greatest of ${bits} bits; these pixels are white. ` +
      `The greatest is ${brightest.greatest} in ${brightest.name}, which takes ${smallestBits(brightest.greatest)} bits.`,
  ];
}

/** A guess that only images outside of training ask for. */
function trainingAlone(files: readonly SixteenBitFile[], brightest: SixteenBitFile, { bits, source }: Decided): string[] {
  const training = source === 'guess' ? greatestOf(files.filter(({ split }) => split === 'train')) : undefined;
  if (!training || smallestBits(training.greatest) === bits) return [];
  return [
    `${bits} bits are in use because of ${brightest.name} (${brightest.split}, greatest value ${brightest.greatest}); the training images ` +
      `alone hold at most ${training.greatest}, ${smallestBits(training.greatest)} bits. If that image is an exception, use --bits.`,
  ];
}

/** Sets that mix depths. */
function nearBlack(files: readonly SixteenBitFile[], { bits }: Decided): string[] {
  const dark = files.filter(({ greatest }) => greatest <= whiteOf(bits) * NEAR_BLACK);
  const [first] = dark;
  if (!first) return [];
  return [
    `${dark.length} of ${files.length} 16-bit images are near black by ${bits} bits, as ${first.name} (greatest value ${first.greatest} of ` +
      `${whiteOf(bits)}). If they have fewer bits than the others, prepare them apart or use --bits.`,
  ];
}

/** BAD_INPUT unless it is a number of bits that a person may say are in use. */
export function checkBits(bits: number): void {
  if (Number.isInteger(bits) && bits >= 8 && bits <= MAX_BITS) return;
  throw new CxrError('BAD_INPUT', `The bits in use are ${bits}; expected a whole number of 8 ... ${MAX_BITS}.`);
}
