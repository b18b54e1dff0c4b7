import { random } from '@cxr-lens/data';
import { percentileInterval } from '../interval.ts';
import { orderedPatients } from './folds.ts';
import { IOU_THRESHOLDS, type ScoredPair } from './types.ts';

export interface BandOptions {
  /** Folds that count. */
  usable: readonly number[];
  seed: string;
  resamples: number;
}

/** 95 % percentile interval of the accuracy at every T(IoU): folds and thresholds are kept, the finding's patients are resampled. */
export function curveBands(scored: readonly ScoredPair[], options: BandOptions): [number, number][] {
  return accuracyDraws(scored, options).map((draws) => percentileInterval(draws.filter((value) => !Number.isNaN(value))));
}

/**
 * Accuracy of every resample.
 * @returns [T][resamples]; NaN for a resample where no usable fold has a scored pair, so that draws of two curves stay side by side
 */
export function accuracyDraws(scored: readonly ScoredPair[], { usable, seed, resamples }: BandOptions): number[][] {
  const { patients, count } = numberPatients(scored);
  const rng = random(`bootstrap/${seed}`);
  const weights = new Float64Array(count);
  // per fold: the scored pairs' patients and how many of the seven T they hit (IoU > T is monotone in T)
  const folds = usable.map((fold) => foldHits(scored, patients, fold));
  const draws: number[][] = IOU_THRESHOLDS.map(() => []);
  const totals = new Float64Array(IOU_THRESHOLDS.length);
  const hits = new Float64Array(IOU_THRESHOLDS.length + 1);
  for (let r = 0; r < resamples; r++) {
    weights.fill(0);
    for (let i = 0; i < count; i++) weights[rng.int(count)]! += 1;
    totals.fill(0);
    let counted = 0;
    for (const fold of folds) {
      hits.fill(0);
      let weight = 0;
      for (let i = 0; i < fold.patient.length; i++) {
        const w = weights[fold.patient[i]!]!;
        weight += w;
        hits[fold.levels[i]!]! += w;
      }
      if (weight === 0) continue;
      counted += 1;
      let above = 0;
      for (let t = IOU_THRESHOLDS.length; t > 0; t--) {
        above += hits[t]!;
        totals[t - 1]! += above / weight;
      }
    }
    for (let t = 0; t < draws.length; t++) draws[t]!.push(totals[t]! / counted); // 0 / 0 is NaN
  }
  return draws;
}

function foldHits(scored: readonly ScoredPair[], patients: readonly number[], fold: number): { patient: number[]; levels: number[] } {
  const patient: number[] = [];
  const levels: number[] = [];
  for (const [index, { ious }] of scored.entries()) {
    const value = ious[fold];
    if (value === null || value === undefined) continue;
    patient.push(patients[index]!);
    levels.push(IOU_THRESHOLDS.filter((t) => value > t).length);
  }
  return { patient, levels };
}

function numberPatients(scored: readonly ScoredPair[]): { patients: number[]; count: number } {
  const ordered = orderedPatients(scored.map(({ patientId }) => patientId));
  const numbers = new Map(ordered.map((patientId, index) => [patientId, index]));
  return { patients: scored.map(({ patientId }) => numbers.get(patientId)!), count: numbers.size };
}
