import { CxrError } from '@cxr-lens/data';
import { percentileInterval } from '../interval.ts';
import { bootstrapP } from '../p-values.ts';
import { meanOfKnown, plainAuc, resampledAucs } from './resamples.ts';
import { numberClusters, weightedColumn } from './weighted.ts';

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
  const columnsOf = (scores: readonly ArrayLike<number>[]) => labels.map((column, index) => weightedColumn(scores[index]!, column, ids));
  const columns = [...columnsOf(scoresA), ...columnsOf(scoresB)];
  const drawn = resampledAucs(columns, { patients: count, resamples, seed });
  const observed = columns.map((column) => plainAuc(column, count));
  const difference = (of: (column: number) => number) => labels.map((_, index) => of(index) - of(labels.length + index));
  const draws = Array.from({ length: resamples }, (_, r) => difference((column) => drawn[column]![r]!));
  const once = difference((column) => observed[column]!);
  const summary = (value: number, values: readonly number[]): AucDifference => {
    const known = values.filter((drawn) => !Number.isNaN(drawn));
    const enough = !Number.isNaN(value) && known.length * 2 > resamples;
    return {
      difference: Number.isNaN(value) ? null : value,
      interval: enough ? percentileInterval(known) : null,
      p: enough ? bootstrapP(known) : null,
    };
  };
  return {
    columns: once.map((value, index) =>
      summary(
        value,
        draws.map((values) => values[index]!),
      ),
    ),
    mean: summary(meanOfKnown(once), draws.map(meanOfKnown)),
    resamples,
  };
}
