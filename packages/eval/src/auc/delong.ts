import { CxrError } from '@cxr-lens/data';
import { normalP } from '../p-values.ts';
import { placements, sampleVariance, splitByLabel, sum, Z95 } from './auc.ts';

/** AUC of A minus AUC of B on the same images. */
export interface PairedDelong {
  /** Null where a class is absent; `reason` says which. */
  aucA: number | null;
  aucB: number | null;
  difference: number | null;
  /** Of the difference; null with fewer than two images of a class. */
  variance: number | null;
  /** difference +- 1.96 sqrt(variance); takes images as independent, see `pairedAucBootstrap` for patients. */
  ci: [number, number] | null;
  /** Null without a variance, and where the AUCs differ but no image disagrees with another about it (variance 0). */
  z: number | null;
  /** Two-sided. */
  p: number | null;
  reason?: string;
}

/**
 * Test of two correlated AUCs (DeLong et al. 1988), ties by mid-rank, in O(n log n). The variance of the difference is that of the
 * differences of the structural components, so that equal rankings give exactly 0 with z = 0 and p = 1.
 * @param scoresA [N], any monotone unit; NaN is an error
 * @param scoresB [N], the same images; its unit may be another
 * @param labels [N], 0 or 1
 * @throws CxrError BAD_INPUT for unequal lengths, NaN scores, labels other than 0 and 1
 */
export function pairedDelong(scoresA: ArrayLike<number>, scoresB: ArrayLike<number>, labels: ArrayLike<number>): PairedDelong {
  if (scoresA.length !== scoresB.length) {
    throw new CxrError('BAD_INPUT', `${scoresA.length} and ${scoresB.length} scores: expected two scores of each image`);
  }
  const a = components(scoresA, labels);
  const b = components(scoresB, labels);
  const m = a.positive.length;
  const n = a.negative.length;
  const untested = { variance: null, ci: null, z: null, p: null };
  const absent = m === 0 ? 'positive' : n === 0 ? 'negative' : null;
  if (absent) return { aucA: null, aucB: null, difference: null, ...untested, reason: `no ${absent} image` };
  const aucA = sum(a.positive) / m / n;
  const aucB = sum(b.positive) / m / n;
  const values = { aucA, aucB, difference: aucA - aucB };
  const single = m < 2 ? 'positive' : n < 2 ? 'negative' : null;
  if (single) return { ...values, ...untested, reason: `one ${single} image: no variance` };
  const differences = (one: Float64Array, other: Float64Array) => one.map((value, i) => value - other[i]!);
  const variance =
    sampleVariance(differences(a.positive, b.positive)) / n ** 2 / m + sampleVariance(differences(a.negative, b.negative)) / m ** 2 / n;
  if (variance === 0 && aucA !== aucB) return { ...values, ...untested, variance, reason: 'no variance: no test' };
  const half = Z95 * Math.sqrt(variance);
  const z = variance === 0 ? 0 : values.difference / Math.sqrt(variance);
  return { ...values, variance, ci: [values.difference - half, values.difference + half], z, p: normalP(z) };
}

/** How many images of the other class score lower, ties counted half: [m] and [n], in the order of the images. */
function components(scores: ArrayLike<number>, labels: ArrayLike<number>): { positive: Float64Array; negative: Float64Array } {
  const { positive, negative } = splitByLabel(scores, labels);
  return { positive: placements(positive, negative.toSorted()), negative: placements(negative, positive.toSorted()) };
}
