import { CxrError } from '@cxr-lens/data';
import { percentileInterval } from '../interval.ts';
import { accuracyDraws } from './bands.ts';
import { FEW_PAIRS } from './curve.ts';
import { IOU_THRESHOLDS, type LocalizationCurve, type ScoredPair } from './types.ts';

/** Accuracy of one run minus another's at one T(IoU), on the same pairs. */
export interface LocalizationDifference {
  iouThreshold: number;
  /** a - b, mean over the folds; null where either has no value. */
  difference: number | null;
  /** 95 % percentile interval of the paired patient bootstrap; null with few pairs or without resamples. */
  interval: [number, number] | null;
  pairs: number;
  /** 'higher' and 'lower' only where the interval leaves out zero. */
  verdict: 'higher' | 'lower' | 'cannot be told';
}

export interface DifferenceOptions {
  iouThreshold?: number;
  seed?: number | string;
  resamples?: number;
}

/**
 * Paired patient bootstrap: each resample draws patients once and scores both curves on them; folds and thresholds are kept.
 * @throws CxrError BAD_INPUT when the curves were not measured on the same pairs in the same folds, or T(IoU) is none of the seven
 */
export function localizationDifference(
  a: LocalizationCurve,
  b: LocalizationCurve,
  { iouThreshold = 0.3, seed = 0, resamples = 2000 }: DifferenceOptions = {},
): LocalizationDifference {
  const index = (IOU_THRESHOLDS as readonly number[]).indexOf(iouThreshold);
  if (index < 0) throw new CxrError('BAD_INPUT', `T(IoU) ${iouThreshold}: expected one of ${IOU_THRESHOLDS.join(', ')}`);
  const other = inOrderOf(a.scored, b.scored);
  const pairs = a.scored.length;
  const [valueA, valueB] = [a.points[index]?.accuracy ?? null, b.points[index]?.accuracy ?? null];
  const difference = valueA === null || valueB === null ? null : valueA - valueB;
  if (difference === null || resamples === 0 || pairs < FEW_PAIRS || a.reason !== null || b.reason !== null) {
    return { iouThreshold, difference, interval: null, pairs, verdict: 'cannot be told' };
  }
  const folds = a.scored[0]!.ious.length;
  const usable = Array.from({ length: folds }, (_, fold) => fold).filter((fold) => a.scored.some(({ ious }) => ious[fold] !== null));
  const options = { usable, seed: `difference/${seed}`, resamples };
  const drawsA = accuracyDraws(a.scored, options)[index]!;
  const drawsB = accuracyDraws(other, options)[index]!; // the same seed and patients: the same draws
  const interval = percentileInterval(drawsA.map((value, draw) => value - drawsB[draw]!));
  const verdict = interval[0] > 0 ? 'higher' : interval[1] < 0 ? 'lower' : 'cannot be told';
  return { iouThreshold, difference, interval, pairs, verdict };
}

/** `b` in the order of `a`, after checking that both hold the same pairs, scored in the same folds. */
function inOrderOf(a: readonly ScoredPair[], b: readonly ScoredPair[]): ScoredPair[] {
  const byImage = new Map(b.map((pair) => [pair.image, pair]));
  if (a.length !== b.length) throw new CxrError('BAD_INPUT', `curves of ${a.length} and ${b.length} pairs: expected the same pairs`);
  return a.map((pair) => {
    const match = byImage.get(pair.image);
    const sameFolds =
      match?.ious.length === pair.ious.length && match.ious.every((value, fold) => (value === null) === (pair.ious[fold] === null));
    if (!match || !sameFolds) {
      throw new CxrError('BAD_INPUT', `${pair.image} is not scored in the same folds by both curves: expected one protocol and one seed`);
    }
    return { ...match, patientId: pair.patientId };
  });
}
