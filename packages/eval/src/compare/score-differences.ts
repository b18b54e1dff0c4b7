import { random } from '@cxr-lens/data';
import { percentileInterval } from '../interval.ts';
import { orderedPatients } from '../localization/folds.ts';
import type { PairScore } from '../localization/pair-scores.ts';
import { IOU_THRESHOLDS } from '../localization/types.ts';
import { bootstrapP } from '../p-values.ts';
import { VERDICT_RESAMPLES, VERDICT_SEED } from './verdict.ts';

/** Under this many pairs a difference has no interval and is not tested. */
const FEW_PAIRS = 10;

/** Accuracy of run A minus that of run B on the pairs that both were scored on. */
export interface Difference {
  /** Null without a pair. */
  difference: number | null;
  /** 95 % percentile interval of the paired patient bootstrap; null under ten pairs. */
  interval: [number, number] | null;
  /** Two-sided, of the same draws (`bootstrapP`), for this comparison alone; null as the interval. */
  p: number | null;
  pairs: number;
}

export interface PointDifference extends Difference {
  iouThreshold: number;
}

export interface ScoreDifferences {
  /** Of the mean over the seven T(IoU). */
  mean: Difference;
  /** At every T(IoU), from the same draws. */
  points: PointDifference[];
}

const LEVELS = IOU_THRESHOLDS.length;

/** Paired patient bootstrap of one finding's scores: each resample draws patients once, for both runs. */
export function scoreDifferences(a: readonly PairScore[], b: readonly PairScore[]): ScoreDifferences {
  const paired = pairsOfBoth(a, b);
  const draws = paired.length >= FEW_PAIRS ? resample(paired) : null;
  const summary = (column: number): Difference => {
    const values = draws?.[column];
    return {
      difference: paired.length > 0 ? mean(paired.map(({ differences }) => differences[column]!)) : null,
      interval: values ? percentileInterval(values) : null,
      p: values ? bootstrapP(values) : null,
      pairs: paired.length,
    };
  };
  return { mean: summary(LEVELS), points: IOU_THRESHOLDS.map((iouThreshold, t) => ({ iouThreshold, ...summary(t) })) };
}

interface PairDifference {
  patientId: string;
  /** [8]: of the hits at every T(IoU), and of their mean. */
  differences: Float64Array;
}

/** In the order of the images, so that neither the order of the runs nor of their pairs changes a rounding. */
function pairsOfBoth(a: readonly PairScore[], b: readonly PairScore[]): PairDifference[] {
  const other = new Map(b.map(({ image, hits }) => [image, hits]));
  const shared = a.filter(({ image }) => other.has(image)).sort((x, y) => (x.image < y.image ? -1 : 1));
  return shared.map(({ image, patientId, hits }) => {
    const differences = new Float64Array(LEVELS + 1);
    differences.set(hits.map((share, t) => share - other.get(image)![t]!));
    differences[LEVELS] = mean(differences.subarray(0, LEVELS));
    return { patientId, differences };
  });
}

/** [8][resamples]: mean difference over the drawn patients' pairs. */
function resample(paired: readonly PairDifference[]): Float64Array[] {
  const numbers = new Map(orderedPatients(paired.map(({ patientId }) => patientId)).map((patientId, index) => [patientId, index]));
  const patients = numbers.size;
  const width = LEVELS + 2;
  const sums = new Float64Array(patients * width); // per patient: sums of the differences, and how many pairs
  for (const { patientId, differences } of paired) {
    const start = numbers.get(patientId)! * width;
    for (const [column, value] of differences.entries()) sums[start + column]! += value;
    sums[start + width - 1]! += 1;
  }
  const rng = random(`verdict/${VERDICT_SEED}`);
  const draws = Array.from({ length: LEVELS + 1 }, () => new Float64Array(VERDICT_RESAMPLES));
  const total = new Float64Array(width);
  for (let r = 0; r < VERDICT_RESAMPLES; r++) {
    total.fill(0);
    for (let i = 0; i < patients; i++) {
      const start = rng.int(patients) * width;
      for (let column = 0; column < width; column++) total[column]! += sums[start + column]!;
    }
    for (let column = 0; column <= LEVELS; column++) draws[column]![r] = total[column]! / total[width - 1]!;
  }
  return draws;
}

function mean(values: readonly number[] | Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total / values.length;
}
