import { CxrError } from '@cxr-lens/data';
import { percentileInterval } from '../interval.ts';
import { bootstrapP } from '../p-values.ts';
import { accuracyDraws } from './bands.ts';
import { FEW_PAIRS } from './curve.ts';
import { RESAMPLES } from './pairs.ts';
import { IOU_THRESHOLDS, type LocalizationCurve, type ScoredPair } from './types.ts';

/** Accuracy of one run minus another's on the same pairs. */
export interface Difference {
  /** a - b, mean over the folds; null where either has no value. */
  difference: number | null;
  /** 95 % percentile interval of the paired patient bootstrap; null with few pairs or without resamples. */
  interval: [number, number] | null;
  /** Two-sided, of the same draws (`bootstrapP`), for this comparison alone; null as the interval. */
  p: number | null;
  pairs: number;
  /** 'higher' and 'lower' only where the interval leaves out zero. */
  verdict: 'higher' | 'lower' | 'cannot be told';
}

export interface LocalizationDifference extends Difference {
  iouThreshold: number;
}

export interface LocalizationDifferences {
  /** At every T(IoU). */
  points: LocalizationDifference[];
  /** Of the mean accuracy over the seven T. */
  mean: Difference;
}

export interface DifferencesOptions {
  seed?: number | string;
  resamples?: number;
  /** Curves of two protocols: they must hold the same pairs, not the same folds. Whoever shows the result names both. */
  acrossProtocols?: boolean;
}

export interface DifferenceOptions extends DifferencesOptions {
  iouThreshold?: number;
}

/**
 * As `localizationDifferences`, at one T(IoU).
 * @throws CxrError BAD_INPUT also when T(IoU) is none of the seven
 */
export function localizationDifference(
  a: LocalizationCurve,
  b: LocalizationCurve,
  { iouThreshold = 0.3, ...options }: DifferenceOptions = {},
): LocalizationDifference {
  const index = (IOU_THRESHOLDS as readonly number[]).indexOf(iouThreshold);
  if (index < 0) throw new CxrError('BAD_INPUT', `T(IoU) ${iouThreshold}: expected one of ${IOU_THRESHOLDS.join(', ')}`);
  return localizationDifferences(a, b, options).points[index]!;
}

/**
 * Paired patient bootstrap: each resample draws patients once and scores both curves on them; folds and thresholds are kept. One set of
 * draws serves all T(IoU) and their mean.
 * @throws CxrError BAD_INPUT when the curves were not measured on the same pairs, or not in the same folds
 */
export function localizationDifferences(
  a: LocalizationCurve,
  b: LocalizationCurve,
  { seed = 0, resamples = RESAMPLES, acrossProtocols = false }: DifferencesOptions = {},
): LocalizationDifferences {
  const other = inOrderOf(a.scored, b.scored, { acrossProtocols });
  const pairs = a.scored.length;
  const observed = IOU_THRESHOLDS.map((_, t) => {
    const [valueA, valueB] = [a.points[t]?.accuracy ?? null, b.points[t]?.accuracy ?? null];
    return valueA === null || valueB === null ? null : valueA - valueB;
  });
  const bootstrap = resamples > 0 && pairs >= FEW_PAIRS && a.reason === null && b.reason === null;
  const draws = bootstrap ? pairedDraws(a.scored, other, { seed: `difference/${seed}`, resamples }) : null;
  const summary = (difference: number | null, values: readonly number[] | undefined): Difference => {
    if (difference === null || !values) return { difference, interval: null, p: null, pairs, verdict: 'cannot be told' };
    const interval = percentileInterval([...values]);
    const verdict = interval[0] > 0 ? 'higher' : interval[1] < 0 ? 'lower' : 'cannot be told';
    return { difference, interval, p: bootstrapP(values), pairs, verdict };
  };
  const known = observed.filter((value) => value !== null);
  return {
    points: IOU_THRESHOLDS.map((iouThreshold, t) => ({ iouThreshold, ...summary(observed[t]!, draws?.[t]) })),
    mean: summary(
      known.length === observed.length ? mean(known) : null,
      draws?.[0]?.map((_, draw) => mean(draws.map((values) => values[draw]!))),
    ),
  };
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

/** `b` in the order of `a`, after checking that both hold the same pairs, and within one protocol that they are scored in the same folds. */
function inOrderOf(a: readonly ScoredPair[], b: readonly ScoredPair[], { acrossProtocols }: { acrossProtocols: boolean }): ScoredPair[] {
  const byImage = new Map(b.map((pair) => [pair.image, pair]));
  if (a.length !== b.length) throw new CxrError('BAD_INPUT', `curves of ${a.length} and ${b.length} pairs: expected the same pairs`);
  return a.map((pair) => {
    const match = byImage.get(pair.image);
    if (!match) throw new CxrError('BAD_INPUT', `${pair.image} is scored by one curve only: expected the same pairs`);
    if (!acrossProtocols && !sameFolds(pair, match)) {
      throw new CxrError('BAD_INPUT', `${pair.image} is not scored in the same folds by both curves: expected one protocol and one seed`);
    }
    return { ...match, patientId: pair.patientId };
  });
}

function sameFolds(a: ScoredPair, b: ScoredPair): boolean {
  return a.ious.length === b.ious.length && a.ious.every((value, fold) => (value === null) === (b.ious[fold] === null));
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
