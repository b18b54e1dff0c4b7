import { CxrError } from '@cxr-lens/data';
import { countLower, countNotHigher, splitByLabel } from './auc.ts';

/** Resamples that one pass over the images serves: half of the time of a pass each, as an image's patient is looked up once. */
export const TOGETHER = 4;

/** Scores and labels of one finding, reduced to what the AUC of any resample needs. Patients are 4 times their number: where their weights begin. */
export interface WeightedColumn {
  /** [n]: patients of the negative images in ascending order of score. */
  negatives: Uint32Array;
  /** [m]: patients of the positive images in ascending order of score. */
  positives: Uint32Array;
  /** [g]: for every score that a positive has, and infinity, how many negatives score lower. */
  lower: Uint32Array;
  /** [g]: how many negatives do not score higher. */
  notHigher: Uint32Array;
  /** [g]: how many positives do not score higher. */
  ends: Uint32Array;
}

/** @throws CxrError BAD_INPUT for unequal lengths, NaN scores, labels other than 0 and 1 */
export function weightedColumn(scores: ArrayLike<number>, labels: ArrayLike<number>, ids: Uint32Array): WeightedColumn {
  const { positive, negative } = splitByLabel(scores, labels);
  if (scores.length !== ids.length) {
    throw new CxrError('BAD_INPUT', `${scores.length} scores for ${ids.length} patients: expected one patient a score`);
  }
  const patients = splitByLabel(ids, labels);
  // numbers: sorted far faster than patients by a comparison of their scores
  const [sorted, sortedPositive] = [negative.toSorted(), positive.toSorted()];
  const groups = [...sortedPositive.filter((score, i) => i === 0 || score !== sortedPositive[i - 1]), Infinity];
  return {
    negatives: inOrder(patients.negative, negative, sorted),
    positives: inOrder(patients.positive, positive, sortedPositive),
    lower: Uint32Array.from(groups, (score) => countLower(sorted, score)),
    notHigher: Uint32Array.from(groups, (score) => countNotHigher(sorted, score)),
    ends: Uint32Array.from(groups, (score) => countNotHigher(sortedPositive, score)),
  };
}

/** The patients in the order of their scores, times 4. */
function inOrder(patients: Float64Array, scores: Float64Array, sorted: Float64Array): Uint32Array {
  const ordered = new Uint32Array(patients.length);
  const placed = new Uint32Array(patients.length); // of the equal scores that begin here
  for (let i = 0; i < patients.length; i++) {
    const first = countLower(sorted, scores[i]!);
    ordered[first + placed[first]!] = patients[i]! * TOGETHER;
    placed[first]! += 1;
  }
  return ordered;
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
