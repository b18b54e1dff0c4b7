import { CxrError } from '@cxr-lens/data';
import { percentileInterval } from '../interval.ts';
import { type Cases, isFewCases, meanHasInterval } from './cases.ts';
import { meanOfKnown, resampledAucs } from './resamples.ts';
import { numberClusters, weightedColumn } from './weighted.ts';

export interface AucBootstrapInput {
  /** One column a finding, each [N]. */
  scores: readonly ArrayLike<number>[];
  /** One column a finding, each [N], 0 or 1. */
  labels: readonly ArrayLike<number>[];
  /** [N]: the patient of each image. Images of a patient are drawn together. */
  clusters: readonly string[];
  resamples?: number;
  seed: number | string;
}

export interface AucBootstrap {
  /** Per column: 95 % percentile interval; null with few cases (`isFewCases`), and where under half of the resamples had both classes. */
  ci: ([number, number] | null)[];
  /** Interval of the mean over the columns that have both classes; null if one of them has few cases (`meanHasInterval`). */
  meanCi: [number, number] | null;
  resamples: number;
}

/**
 * Percentile intervals of the AUC under resampling of patients: the test set's 25,596 images come from 2,797 patients only.
 *
 * Every resample draws one set of patients for all columns, so that the mean has an interval too. A resample without both classes
 * of a column is left out for this column.
 * @throws CxrError BAD_INPUT for unequal lengths, NaN scores, labels other than 0 and 1
 */
export function aucBootstrap({ scores, labels, clusters, resamples = 2000, seed }: AucBootstrapInput): AucBootstrap {
  if (scores.length !== labels.length) {
    throw new CxrError('BAD_INPUT', `${scores.length} score columns for ${labels.length} label columns: expected as many`);
  }
  const { ids, count } = numberClusters(clusters);
  const columns = scores.map((column, index) => weightedColumn(column, labels[index]!, ids));
  const drawn = resampledAucs(columns, { patients: count, resamples, seed });
  const means = Float64Array.from({ length: resamples }, (_, r) => meanOfKnown(drawn.map((values) => values[r]!)));
  const interval = (values: Float64Array) => {
    const known = values.filter((value) => !Number.isNaN(value));
    return known.length * 2 > resamples ? percentileInterval(known) : null;
  };
  const cases = labels.map(casesOf);
  return {
    ci: drawn.map((values, index) => (isFewCases(cases[index]!) ? null : interval(values))),
    meanCi: meanHasInterval(cases) ? interval(means) : null,
    resamples,
  };
}

function casesOf(labels: ArrayLike<number>): Cases {
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i]!;
  return { positives, negatives: labels.length - positives };
}
