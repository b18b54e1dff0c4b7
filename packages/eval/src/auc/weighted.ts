import { CxrError } from '@cxr-lens/data';
import { checkScores, countLower, countNotHigher } from './auc.ts';

/** Scores and labels of one finding, reduced to what the AUC of any resample needs. */
export interface WeightedColumn {
  /** [n]: patients of the negative images in ascending order of score. */
  negatives: Uint32Array;
  /** [m]: patients of the positive images. */
  positives: Uint32Array;
  /** [m]: how many negatives score lower than each positive. */
  lower: Uint32Array;
  /** [m]: how many negatives do not score higher. */
  notHigher: Uint32Array;
  /** [n + 1]: room for the sums of the negatives' weights. */
  sums: Float64Array;
}

/** @throws CxrError BAD_INPUT for unequal lengths, NaN scores, labels other than 0 and 1 */
export function weightedColumn(scores: ArrayLike<number>, labels: ArrayLike<number>, ids: Uint32Array): WeightedColumn {
  checkScores(scores, labels);
  if (scores.length !== ids.length) {
    throw new CxrError('BAD_INPUT', `${scores.length} scores for ${ids.length} patients: expected one patient a score`);
  }
  const ofLabel = (label: number) => Uint32Array.from(ids.keys()).filter((image) => labels[image] === label);
  const positives = ofLabel(1);
  const negatives = ofLabel(0).sort((a, b) => scores[a]! - scores[b]!);
  const sorted = Float64Array.from(negatives, (image) => scores[image]!);
  return {
    negatives: negatives.map((image) => ids[image]!),
    positives: positives.map((image) => ids[image]!),
    lower: positives.map((image) => countLower(sorted, scores[image]!)),
    notHigher: positives.map((image) => countNotHigher(sorted, scores[image]!)),
    sums: new Float64Array(negatives.length + 1),
  };
}

/** AUC with every patient counted as often as `weights` says, ties by half; NaN without both classes. */
export function weightedAuc({ negatives, positives, lower, notHigher, sums }: WeightedColumn, weights: Int32Array): number {
  let total = 0;
  for (let i = 0; i < negatives.length; i++) {
    total += weights[negatives[i]!]!;
    sums[i + 1] = total;
  }
  let area = 0;
  let drawn = 0;
  for (let i = 0; i < positives.length; i++) {
    const weight = weights[positives[i]!]!;
    drawn += weight;
    area += weight * (sums[lower[i]!]! + sums[notHigher[i]!]!);
  }
  return area / (2 * drawn * total); // NaN without both classes: 0 / 0
}

/** The number of each image's patient, 0 ... count - 1 in the order of their first images. */
export function numberClusters(clusters: readonly string[]): { ids: Uint32Array; count: number } {
  const numbers = new Map<string, number>();
  const ids = Uint32Array.from(clusters, (cluster) => {
    const known = numbers.get(cluster);
    if (known !== undefined) return known;
    numbers.set(cluster, numbers.size);
    return numbers.size - 1;
  });
  return { ids, count: numbers.size };
}
