import type { DataSet } from 'dicom-parser';
import { CxrError } from '../error.ts';

/** Stored pixel words, masked to `bits`; two's complement when signed. */
export interface Stored {
  words: Uint16Array;
  bits: number;
  signed: boolean;
}

/** Maps a number of one stage of PS3.3 C.11 to the next. */
type Step = (value: number) => number;

/**
 * [2 ** bits] the 8-bit grey of every word that can be stored, before any inversion: modality LUT, then VOI LUT or window.
 * Without either 8 stored bits are taken as they are, and deeper pixels are stretched from their smallest to their largest value [ours].
 */
export function displayTable(dataSet: DataSet, stored: Stored, where: string): Uint8Array {
  const modality = modalityStep(dataSet, stored.signed, where);
  const toModality = (word: number): number => modality(stored.signed && word >= 2 ** (stored.bits - 1) ? word - 2 ** stored.bits : word);
  const voi = voiStep(dataSet, stored.signed, where) ?? stretchStep(dataSet, stored, toModality);
  return Uint8Array.from({ length: 2 ** stored.bits }, (_, word) => Math.round(255 * Math.min(1, Math.max(0, voi(toModality(word))))));
}

/** Stored values to the manufacturer's units: Modality LUT Sequence, or slope and intercept. */
function modalityStep(dataSet: DataSet, signed: boolean, where: string): Step {
  const table = readLut(dataSet, 'x00283000', signed, where);
  if (table) return (value) => table.at(value);
  const slope = dataSet.floatString('x00281053') ?? 1;
  const intercept = dataSet.floatString('x00281052') ?? 0;
  if (!Number.isFinite(slope) || !Number.isFinite(intercept) || slope === 0) {
    throw new CxrError(
      'BAD_INPUT',
      `${where}: the rescale slope is ${slope} and the intercept ${intercept}; expected numbers, the slope not 0. Export it again.`,
    );
  }
  return (value) => value * slope + intercept;
}

/** Modality values to [0, 1]: the VOI LUT Sequence first, then the first window; null when the file has neither. */
function voiStep(dataSet: DataSet, signed: boolean, where: string): Step | null {
  const table = readLut(dataSet, 'x00283010', signed, where);
  if (table) return (value) => table.at(Math.round(value)) / (2 ** table.bits - 1);
  const centre = dataSet.floatString('x00281050');
  const width = dataSet.floatString('x00281051');
  if (centre === undefined || width === undefined || !Number.isFinite(centre) || !(width > 0)) return null;
  const shape = dataSet.string('x00281056') ?? 'LINEAR';
  if (shape === 'SIGMOID') return (value) => 1 / (1 + Math.exp((-4 * (value - centre)) / width));
  if (shape === 'LINEAR_EXACT') return (value) => (value - centre) / width + 0.5;
  // PS3.3 C.11.2.1.2: the half and the one make a window of 256 around 128 the identity on 8 bits.
  return (value) => (width > 1 ? (value - (centre - 0.5)) / (width - 1) + 0.5 : value <= centre - 0.5 ? 0 : 1);
}

function stretchStep(dataSet: DataSet, { words, bits, signed }: Stored, toModality: Step): Step {
  const padding = dataSet.elements['x00280120'] && (signed ? dataSet.int16('x00280120') : dataSet.uint16('x00280120'));
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const include = (word: number): void => {
    const value = toModality(word);
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  if (bits <= 8) for (let word = 0; word < 2 ** bits; word += 1) include(word);
  else for (const word of words) if (padding === undefined || word !== (padding & (2 ** bits - 1))) include(word);
  return (value) => (high > low ? (value - low) / (high - low) : 0);
}

interface Lut {
  bits: number;
  at(value: number): number;
}

/** The first item of a LUT sequence: descriptor (entries, first value, bits) and data; null when the sequence is absent. */
function readLut(dataSet: DataSet, sequence: string, signed: boolean, where: string): Lut | null {
  const item = dataSet.elements[sequence]?.items?.[0]?.dataSet;
  if (!item) return null;
  const entries = item.uint16('x00283002', 0) || 65536;
  const first = (signed ? item.int16('x00283002', 1) : item.uint16('x00283002', 1)) ?? 0;
  const bits = item.uint16('x00283002', 2) ?? 0;
  const data = item.elements['x00283006'];
  const bytesEach = data && data.length < entries * 2 ? 1 : 2;
  if (!data || bits < 1 || bits > 16 || data.length < entries * bytesEach) {
    throw new CxrError(
      'CORRUPT',
      `${where}: the look-up table of ${sequence.slice(1, 5)},${sequence.slice(5)} is incomplete. Export the image again.`,
    );
  }
  const entry = (index: number): number => (bytesEach === 2 ? item.uint16('x00283006', index)! : item.byteArray[data.dataOffset + index]!);
  return { bits, at: (value) => entry(Math.min(entries - 1, Math.max(0, Math.round(value) - first))) };
}
