import { CxrError } from '@cxr-lens/data';
import { percentileInterval } from '../interval.ts';
import { bootstrapP } from '../p-values.ts';
import { accuracyDraws } from './bands.ts';
import { FEW_PAIRS } from './curve.ts';
import { RESAMPLES } from './pairs.ts';
import { IOU_THRESHOLDS, type LocalizationCurve, type ScoredPair } from './types.ts';

/** Accuracy of one curve minus another's on the same pairs at one T(IoU), in the folds of the curves alone: `compareRuns` gives verdicts. */
export interface LocalizationDifference {
  iouThreshold: number;
  /** a - b, mean over the folds; null where either has no value. */
  difference: number | null;
  /** 95 % percentile interval of the paired patient bootstrap; null with few pairs or without resamples. */
  interval: [number, number] | null;
  /** Two-sided, of the same draws (`bootstrapP`), for this comparison alone; null as the interval. */
  p: number | null;
  pairs: number;
}

export interface DifferenceOptions {
  iouThreshold?: number;
  seed?: number | string;
  resamples?: number;
}

/**
 * Paired patient bootstrap: each resample draws patients once and scores both curves on them; folds and thresholds are kept.
 * @throws CxrError BAD_INPUT when T(IoU) is none of the seven, or the curves were not measured on the same pairs in the same folds
 */
export function localizationDifference(
  a: LocalizationCurve,
  b: LocalizationCurve,
  { iouThreshold = 0.3, seed = 0, resamples = RESAMPLES }: DifferenceOptions = {},
): LocalizationDifference {
  const t = (IOU_THRESHOLDS as readonly number[]).indexOf(iouThreshold);
  if (t < 0) throw new CxrError('BAD_INPUT', `T(IoU) ${iouThreshold}: expected one of ${IOU_THRESHOLDS.join(', ')}`);
  const other = inOrderOf(a.scored, b.scored);
  const pairs = a.scored.length;
  const [valueA, valueB] = [a.points[t]?.accuracy ?? null, b.points[t]?.accuracy ?? null];
  const difference = valueA === null || valueB === null ? null : valueA - valueB;
  const tested = difference !== null && resamples > 0 && pairs >= FEW_PAIRS && a.reason === null && b.reason === null;
  if (!tested) return { iouThreshold, difference, interval: null, p: null, pairs };
  const draws = pairedDraws(a.scored, other, { seed: `difference/${seed}`, resamples })[t]!;
  return { iouThreshold, difference, interval: percentileInterval(draws), p: bootstrapP(draws), pairs };
}

/** [T][draws]: accuracy of `a` minus that of `b` on the same patients. */
function pairedDraws(a: readonly ScoredPair[], b: readonly ScoredPair[], options: { seed: string; resamples: number }): number[][] {
  // the same seed and patients: the same draws
  const [drawsA, drawsB] = [a, b].map((scored) => accuracyDraws(scored, { ...options, usable: usableFolds(scored) }));
  return drawsA!.map((values, t) => values.map((value, draw) => value - drawsB![t]![draw]!).filter((value) => !Number.isNaN(value)));
}

function usableFolds(scored: readonly ScoredPair[]): number[] {
  return [...scored[0]!.ious.keys()].filter((fold) => scored.some(({ ious }) => ious[fold] !== null));
}

/** `b` in the order of `a`, after checking that both hold the same pairs in the same folds. */
function inOrderOf(a: readonly ScoredPair[], b: readonly ScoredPair[]): ScoredPair[] {
  const byImage = new Map(b.map((pair) => [pair.image, pair]));
  if (a.length !== b.length) throw new CxrError('BAD_INPUT', `curves of ${a.length} and ${b.length} pairs: expected the same pairs`);
  return a.map((pair) => {
    const match = byImage.get(pair.image);
    if (!match) throw new CxrError('BAD_INPUT', `${pair.image} is scored by one curve only: expected the same pairs`);
    if (!sameFolds(pair, match)) {
      throw new CxrError('BAD_INPUT', `${pair.image} is not scored in the same folds by both curves: expected one protocol and one seed`);
    }
    return { ...match, patientId: pair.patientId };
  });
}

function sameFolds(a: ScoredPair, b: ScoredPair): boolean {
  return a.ious.length === b.ious.length && a.ious.every((value, fold) => (value === null) === (b.ious[fold] === null));
}
