import { CxrError, random } from '@cxr-lens/data';
import { percentileInterval } from '../interval.ts';
import { bootstrapP } from '../p-values.ts';
import { numberClusters, weightedAuc, weightedColumn } from './weighted.ts';

export interface PairedAucInput {
  /** Scores of run A: one column a finding, each [N]. */
  scoresA: readonly ArrayLike<number>[];
  /** Of run B, the same findings and images. */
  scoresB: readonly ArrayLike<number>[];
  /** One column a finding, each [N], 0 or 1. */
  labels: readonly ArrayLike<number>[];
  /** [N]: the patient of each image. Images of a patient are drawn together. */
  clusters: readonly string[];
  resamples?: number;
  seed: number | string;
}

/** AUC of A minus AUC of B. */
export interface AucDifference {
  /** Null where a class is absent. */
  difference: number | null;
  /** 95 % percentile interval; null where fewer than half of the resamples had both classes. */
  interval: [number, number] | null;
  /** Two-sided, `bootstrapP`; null as the interval. */
  p: number | null;
}

export interface PairedAucBootstrap {
  /** One per column. */
  columns: AucDifference[];
  /** Of the mean AUC over the columns that have both classes. */
  mean: AucDifference;
  resamples: number;
}

/**
 * Difference of two runs' AUCs under resampling of patients: every resample draws one set of patients and scores both runs on it, so that
 * what they share cancels. A resample without both classes of a column is left out for this column.
 * @throws CxrError BAD_INPUT for unequal lengths, NaN scores, labels other than 0 and 1
 */
export function pairedAucBootstrap({ scoresA, scoresB, labels, clusters, resamples = 2000, seed }: PairedAucInput): PairedAucBootstrap {
  if (scoresA.length !== labels.length || scoresB.length !== labels.length) {
    const counts = `${scoresA.length} and ${scoresB.length} score columns for ${labels.length} label columns`;
    throw new CxrError('BAD_INPUT', `${counts}: expected as many`);
  }
  const { ids, count } = numberClusters(clusters);
  const columns = labels.map((column, index) => ({
    a: weightedColumn(scoresA[index]!, column, ids),
    b: weightedColumn(scoresB[index]!, column, ids),
    draws: [] as number[],
  }));
  const means: number[] = [];
  const weights = new Int32Array(count);
  const rng = random(seed);
  for (let r = 0; r < resamples; r++) {
    weights.fill(0);
    for (let i = 0; i < count; i++) weights[rng.int(count)]! += 1;
    const drawn = columns.map(({ a, b }) => weightedAuc(a, weights) - weightedAuc(b, weights));
    for (const [index, { draws }] of columns.entries()) if (!Number.isNaN(drawn[index]!)) draws.push(drawn[index]!);
    const mean = meanOf(drawn);
    if (mean !== null) means.push(mean);
  }
  const once = new Int32Array(count).fill(1);
  const observed = columns.map(({ a, b }) => weightedAuc(a, once) - weightedAuc(b, once));
  const summary = (difference: number | null, draws: readonly number[]): AucDifference => {
    const enough = difference !== null && draws.length * 2 > resamples;
    return { difference, interval: enough ? percentileInterval([...draws]) : null, p: enough ? bootstrapP(draws) : null };
  };
  return {
    columns: columns.map(({ draws }, index) => summary(Number.isNaN(observed[index]!) ? null : observed[index]!, draws)),
    mean: summary(meanOf(observed), means),
    resamples,
  };
}

/** Of the values that are numbers; null without one. */
function meanOf(values: readonly number[]): number | null {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length > 0 ? known.reduce((total, value) => total + value, 0) / known.length : null;
}
