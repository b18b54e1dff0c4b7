import { type Random, random } from '@cxr-lens/data';
import { TOGETHER, type WeightedColumn } from './weighted.ts';

interface Resampling {
  /** How many patients there are, and are drawn. */
  patients: number;
  resamples: number;
  seed: number | string;
  /** Told every thousand resamples, and after the last. */
  onProgress?: ((done: number) => void) | undefined;
}

/** A multiple of TOGETHER. */
const TOLD_EVERY = 1000;

/**
 * AUC of every column in every resample of patients, which is one set for all columns.
 * @returns [columns][resamples]; NaN without both classes
 */
export function resampledAucs(columns: readonly WeightedColumn[], { patients, resamples, seed, onProgress }: Resampling): Float64Array[] {
  const aucs = columns.map(() => new Float64Array(Math.ceil(resamples / TOGETHER) * TOGETHER));
  const weights = new Int32Array(patients * TOGETHER);
  const rng = random(seed);
  for (let first = 0; first < resamples; first += TOGETHER) {
    drawPatients(weights, rng);
    for (let c = 0; c < columns.length; c++) aucs[c]!.set(weightedAucs(columns[c]!, weights), first);
    if (first > 0 && first % TOLD_EVERY === 0) onProgress?.(first);
  }
  onProgress?.(resamples);
  return aucs.map((values) => values.subarray(0, resamples));
}

/** Four resamples, one after the other: how often each patient was drawn. */
function drawPatients(weights: Int32Array, rng: Random): void {
  const patients = weights.length / TOGETHER;
  weights.fill(0);
  for (let k = 0; k < TOGETHER; k++) {
    for (let i = 0; i < patients; i++) weights[rng.int(patients) * TOGETHER + k]! += 1;
  }
}

/** AUC with every patient counted once; NaN without both classes. */
export function plainAuc(column: WeightedColumn, patients: number): number {
  return weightedAucs(column, new Int32Array(patients * TOGETHER).fill(1))[0]!;
}

/**
 * Four AUCs with every patient counted as often as `weights` ([patients, 4]) says, ties by half; NaN without both classes.
 * Written out four times: a loop over the four takes the time of four passes.
 */
function weightedAucs({ negatives, positives, lower, notHigher, ends }: WeightedColumn, weights: Int32Array): number[] {
  // twice the pairs in order, positives and negatives so far
  let a0 = 0;
  let a1 = 0;
  let a2 = 0;
  let a3 = 0;
  let p0 = 0;
  let p1 = 0;
  let p2 = 0;
  let p3 = 0;
  let n0 = 0;
  let n1 = 0;
  let n2 = 0;
  let n3 = 0;
  let i = 0;
  let j = 0;
  for (let g = 0; g < ends.length; g++) {
    for (const end = lower[g]!; i < end; i++) {
      const patient = negatives[i]!;
      n0 = (n0 + weights[patient]!) | 0;
      n1 = (n1 + weights[patient + 1]!) | 0;
      n2 = (n2 + weights[patient + 2]!) | 0;
      n3 = (n3 + weights[patient + 3]!) | 0;
    }
    const low0 = n0;
    const low1 = n1;
    const low2 = n2;
    const low3 = n3;
    for (const end = notHigher[g]!; i < end; i++) {
      const patient = negatives[i]!;
      n0 = (n0 + weights[patient]!) | 0;
      n1 = (n1 + weights[patient + 1]!) | 0;
      n2 = (n2 + weights[patient + 2]!) | 0;
      n3 = (n3 + weights[patient + 3]!) | 0;
    }
    let drawn0 = 0;
    let drawn1 = 0;
    let drawn2 = 0;
    let drawn3 = 0;
    for (const end = ends[g]!; j < end; j++) {
      const patient = positives[j]!;
      drawn0 = (drawn0 + weights[patient]!) | 0;
      drawn1 = (drawn1 + weights[patient + 1]!) | 0;
      drawn2 = (drawn2 + weights[patient + 2]!) | 0;
      drawn3 = (drawn3 + weights[patient + 3]!) | 0;
    }
    p0 += drawn0;
    p1 += drawn1;
    p2 += drawn2;
    p3 += drawn3;
    a0 += drawn0 * (low0 + n0);
    a1 += drawn1 * (low1 + n1);
    a2 += drawn2 * (low2 + n2);
    a3 += drawn3 * (low3 + n3);
  }
  return [a0 / (2 * p0 * n0), a1 / (2 * p1 * n1), a2 / (2 * p2 * n2), a3 / (2 * p3 * n3)]; // NaN without both classes: 0 / 0
}

/** Mean of the values that are numbers; NaN without one. */
export function meanOfKnown(values: readonly number[]): number {
  let total = 0;
  let known = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    total += value;
    known += 1;
  }
  return total / known;
}
