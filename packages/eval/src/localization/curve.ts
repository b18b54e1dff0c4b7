import type { BoxedFinding } from '@cxr-lens/data';
import { curveBands } from './bands.ts';
import { lowerMedian } from './folds.ts';
import { withRareHits } from './rare-hits.ts';
import { IOU_THRESHOLDS, type LocalizationCurve, type ScoredPair } from './types.ts';

/** Below this many pairs a curve is marked `few pairs` and has no band. */
export const FEW_PAIRS = 10;

export interface CurveInput {
  finding: BoxedFinding;
  scored: ScoredPair[];
  /** How many folds the protocol has: 5, or 1 for a fixed threshold. */
  folds: number;
  foldThresholds: (number | null)[];
  seed: number;
  resamples: number;
}

/** Mean, standard deviation and band over the folds of one finding's pairs. */
export function curveOf({ finding, scored, folds, foldThresholds, seed, resamples }: CurveInput): LocalizationCurve {
  const usable = Array.from({ length: folds }, (_, fold) => fold).filter((fold) => scored.some(({ ious }) => ious[fold] !== null));
  const reason = reasonOf({ pairs: scored.length, usable: usable.length, folds });
  const known = reason === null || reason === 'few pairs';
  const bands = reason === null && resamples > 0 ? curveBands(scored, { usable, seed: `${seed}/${finding}`, resamples }) : null;
  const points = IOU_THRESHOLDS.map((iouThreshold, index) => {
    const perFold = usable.map((fold) => mean(iousOf(scored, fold).map((value) => (value > iouThreshold ? 1 : 0))));
    const [low, high] = bands?.[index] ?? [null, null];
    return { iouThreshold, accuracy: known ? mean(perFold) : null, low, high, sd: known ? sampleSd(perFold) : null };
  });
  const thresholds = foldThresholds.filter((threshold) => threshold !== null);
  return {
    pairs: scored.length,
    threshold: known && thresholds.length > 0 ? lowerMedian(thresholds) : null,
    foldThresholds,
    meanIou: known ? mean(usable.map((fold) => mean(iousOf(scored, fold)))) : null,
    points: withRareHits(points, scored),
    scored,
    reason,
  };
}

function reasonOf({ pairs, usable, folds }: { pairs: number; usable: number; folds: number }): string | null {
  if (pairs === 0) return 'no pairs';
  if (usable < Math.min(2, folds)) return 'under two usable folds';
  return pairs < FEW_PAIRS || usable < folds ? 'few pairs' : null;
}

function iousOf(scored: readonly ScoredPair[], fold: number): number[] {
  return scored.map(({ ious }) => ious[fold] ?? null).filter((value) => value !== null);
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** Null for a single fold. */
function sampleSd(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  return Math.sqrt(values.reduce((total, value) => total + (value - centre) ** 2, 0) / (values.length - 1));
}
