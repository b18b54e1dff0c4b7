import { CxrError } from '@cxr-lens/data';
import { FEW_CASES_REASON, isFewCases } from './cases.ts';

/** Half width of a 95 % normal interval in standard errors. */
export const Z95 = 1.959963984540054;

/** Area under the ROC curve of one finding with its DeLong variance and 95 % interval. */
export interface Auc {
  /** Null where a class is absent; `reason` says which. */
  auc: number | null;
  /** DeLong et al. 1988; null with fewer than two images of a class. */
  variance: number | null;
  /**
   * auc +- 1.96 sqrt(variance), clipped to [0, 1]; treats images as independent, see `aucBootstrap` for patients. Null with few cases
   * (`isFewCases`).
   */
  ci: [number, number] | null;
  positives: number;
  negatives: number;
  /** Why there is no AUC, or no interval: `few cases`. */
  reason?: string;
}

/**
 * Area under the ROC curve, ties by mid-rank, with DeLong's variance in O(n log n).
 *
 * The interval is the plain normal one, clipped to [0, 1]. At AUC 0 or 1 the variance is 0 and so is the interval's width. With few cases
 * there is none, and `reason` says so.
 * @param scores [N], any monotone unit (logits, probabilities); NaN is an error
 * @param labels [N], 0 or 1
 * @throws CxrError BAD_INPUT for unequal lengths, NaN scores, labels other than 0 and 1
 */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<number>): Auc {
  const { positive, negative } = splitByLabel(scores, labels);
  const m = positive.length;
  const n = negative.length;
  const counts = { positives: m, negatives: n };
  if (m === 0) return { auc: null, variance: null, ci: null, ...counts, reason: 'no positive image' };
  if (n === 0) return { auc: null, variance: null, ci: null, ...counts, reason: 'no negative image' };
  positive.sort(); // both, so that the order of the images does not change a rounding
  negative.sort();
  const below = placements(positive, negative); // [m], n * V10 of DeLong
  const above = placements(negative, positive); // [n], m * (1 - V01)
  const value = sum(below) / m / n;
  const variance = m < 2 || n < 2 ? null : sampleVariance(below) / n ** 2 / m + sampleVariance(above) / m ** 2 / n;
  if (variance === null || isFewCases(counts)) return { auc: value, variance, ci: null, ...counts, reason: FEW_CASES_REASON };
  const half = Z95 * Math.sqrt(variance);
  return { auc: value, variance, ci: [Math.max(0, value - half), Math.min(1, value + half)], ...counts };
}

/** Mean AUC over the findings that have one; null when none has. */
export function meanAuc(results: Iterable<Auc>): number | null {
  let total = 0;
  let count = 0;
  for (const result of results) {
    if (result.auc === null) continue;
    total += result.auc;
    count += 1;
  }
  return count > 0 ? total / count : null;
}

/** @throws CxrError BAD_INPUT for unequal lengths, NaN scores, labels other than 0 and 1 */
export function checkScores(scores: ArrayLike<number>, labels: ArrayLike<number>): void {
  if (scores.length !== labels.length) {
    throw new CxrError('BAD_INPUT', `${scores.length} scores for ${labels.length} labels: expected one label a score`);
  }
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw new CxrError('BAD_INPUT', `score ${i} is NaN: expected a number`);
    if (labels[i] !== 0 && labels[i] !== 1) throw new CxrError('BAD_INPUT', `label ${i} is ${labels[i]}: expected 0 or 1`);
  }
}

/** Scores of either class, in the order of the images. */
export function splitByLabel(scores: ArrayLike<number>, labels: ArrayLike<number>): { positive: Float64Array; negative: Float64Array } {
  checkScores(scores, labels);
  let m = 0;
  for (let i = 0; i < labels.length; i++) m += labels[i]!;
  const positive = new Float64Array(m);
  const negative = new Float64Array(labels.length - m);
  let p = 0;
  let q = 0;
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] === 1) positive[p++] = scores[i]!;
    else negative[q++] = scores[i]!;
  }
  return { positive, negative };
}

/** For each of the `values`, how many of the sorted `others` are smaller, equal ones counted half. */
export function placements(values: Float64Array, others: Float64Array): Float64Array {
  return values.map((value) => (countLower(others, value) + countNotHigher(others, value)) / 2);
}

/** How many of the sorted values are lower, by halving. */
export function countLower(sorted: Float64Array, value: number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** How many of the sorted values are not higher. */
export function countNotHigher(sorted: Float64Array, value: number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! <= value) from = middle + 1;
    else to = middle;
  }
  return from;
}

export function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

export function sampleVariance(values: Float64Array): number {
  const mean = sum(values) / values.length;
  let total = 0;
  for (const value of values) total += (value - mean) ** 2;
  return total / (values.length - 1);
}
