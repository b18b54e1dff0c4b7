import { Z95 } from '../auc/auc.ts';
import type { LocalizationPoint, ScoredPair } from './types.ts';

/** With fewer pairs than this that hit, or that miss, the bootstrap's percentiles say too little: it draws the few again and again. */
const RARE = 5;

/** One patient's pairs: how many, and the sum of their shares of folds with a hit. */
interface Cluster {
  pairs: number;
  hits: number;
}

/**
 * The points of a curve with a Wilson interval where few pairs hit or few miss, so that no interval has zero width:
 *
 * n = scored pairs; k = sum over the pairs of the share of their folds with a hit; p = k / n. Where k < 5 or n - k < 5, and where all
 * resamples gave one value, the interval is Wilson's (1927) score interval for p with n / d in place of n. d is the design effect of the
 * patients (`designEffect`); where the patients do not differ, as at k = 0 and k = n, there is nothing to estimate it from, and n / d is
 * the number of patients. Everywhere else the percentiles of the bootstrap stay as they are.
 *
 * Depends on `scored` alone, so that it may be applied to the points of a file again.
 * @param points at all T(IoU), with the bootstrap's percentiles; those without an interval stay without
 */
export function withRareHits<T extends LocalizationPoint>(points: readonly T[], scored: readonly ScoredPair[]): T[] {
  return points.map((point) => {
    const { low, high, iouThreshold } = point;
    if (low === null || high === null) return point;
    const clusters = patientClusters(scored, iouThreshold);
    const { n, k } = total(clusters);
    if (n === 0 || (k >= RARE && n - k >= RARE && high > low)) return point;
    const effect = designEffect(clusters);
    const [from, to] = wilsonInterval(k / n, effect === null ? clusters.length : n / effect);
    return { ...point, low: from, high: to };
  });
}

/** What was scored of each patient at one T(IoU). */
function patientClusters(scored: readonly ScoredPair[], iouThreshold: number): Cluster[] {
  const clusters = new Map<string, Cluster>();
  for (const { patientId, ious } of scored) {
    const known = ious.filter((value) => value !== null);
    if (known.length === 0) continue;
    const cluster = clusters.get(patientId) ?? { pairs: 0, hits: 0 };
    cluster.pairs += 1;
    cluster.hits += known.filter((value) => value > iouThreshold).length / known.length;
    clusters.set(patientId, cluster);
  }
  return [...clusters.values()];
}

/**
 * Design effect of the patients on a share p = sum k_j / sum n_j (Kish 1965, section 8.2): the variance of the ratio estimator over m
 * patients, m / (m - 1) sum (k_j - p n_j)^2 / n^2 (Rao and Scott 1992, who divide n by it), over the binomial variance of n independent
 * pairs, p (1 - p) / (n - 1). Exactly 1 where each patient has one pair that hits or misses; never below 1, so that an interval is never
 * narrower than that of independent pairs.
 * @returns null where all patients have the same share, as with one patient: the variance is 0 and says nothing
 */
export function designEffect(clusters: readonly Cluster[]): number | null {
  const { n, k } = total(clusters);
  const m = clusters.length;
  // shares of one or four folds: both products are exact
  if (clusters.every(({ pairs, hits }) => hits * n === k * pairs)) return null;
  const p = k / n;
  const squares = clusters.reduce((sum, { pairs, hits }) => sum + (hits - p * pairs) ** 2, 0);
  const variance = ((m / (m - 1)) * squares) / n ** 2;
  return Math.max(1, variance / ((p * (1 - p)) / (n - 1)));
}

function total(clusters: readonly Cluster[]): { n: number; k: number } {
  return clusters.reduce((sum, { pairs, hits }) => ({ n: sum.n + pairs, k: sum.k + hits }), { n: 0, k: 0 });
}

/** Wilson's 95 % score interval of a share p of n, n any positive number. */
export function wilsonInterval(p: number, n: number): [number, number] {
  const z2 = Z95 ** 2 / n;
  const centre = (p + z2 / 2) / (1 + z2);
  const half = (Z95 * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n))) / (1 + z2);
  // at 0 and 1 the end is exact
  return [p <= 0 ? 0 : Math.max(0, centre - half), p >= 1 ? 1 : Math.min(1, centre + half)];
}

/** For points whose pairs were not kept: an interval of zero width is left out. */
export function withoutEmptyWidth<T extends { low: number | null; high: number | null }>(points: readonly T[]): T[] {
  return points.map((point) => (point.low !== null && point.low === point.high ? { ...point, low: null, high: null } : point));
}
