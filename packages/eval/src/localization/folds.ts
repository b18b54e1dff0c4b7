import { random } from '@cxr-lens/data';
import { THRESHOLD_COUNT } from '../map/threshold-ious.ts';
import { IOU_THRESHOLDS, type PairIous } from './types.ts';

/** How many parts the patients are shuffled into. */
export const FOLDS = 5;

/**
 * The part (0 ... 4) of every patient, the same for all findings and runs: patients in the order of their number, shuffled by seed,
 * dealt in turn. Leading zeros do not matter: "00000013" of a file name and "13" of the label list get the same part.
 */
export function patientParts(patientIds: Iterable<string>, seed: number): Map<string, number> {
  const shuffled = random(`folds/${seed}`).shuffle(orderedPatients(patientIds));
  return new Map(shuffled.map((id, index) => [id, index % FOLDS]));
}

/** Each patient once, in an order that the order of the pairs does not change. */
export function orderedPatients(patientIds: Iterable<string>): string[] {
  return [...new Set(patientIds)].sort(byNumber);
}

function byNumber(a: string, b: string): number {
  const x = a.replace(/^0+(?=.)/, '');
  const y = b.replace(/^0+(?=.)/, '');
  return x.length - y.length || (x < y ? -1 : x > y ? 1 : 0);
}

/** Threshold with the highest mean accuracy over T(IoU) on these pairs; the middle one (lower median) among equals. */
export function chooseThreshold(pairs: readonly PairIous[]): number {
  const hits = new Uint32Array(THRESHOLD_COUNT);
  for (const { ious } of pairs) {
    for (let threshold = 0; threshold < THRESHOLD_COUNT; threshold++) {
      const value = ious[threshold]!;
      for (const t of IOU_THRESHOLDS) if (value > t) hits[threshold]! += 1;
    }
  }
  const most = hits.reduce((a, b) => Math.max(a, b));
  return lowerMedian(Array.from(hits.keys()).filter((threshold) => hits[threshold] === most));
}

/** @param values at least one */
export function lowerMedian(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}
