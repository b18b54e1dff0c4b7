import { CxrError } from '@cxr-lens/data';
import { percentileInterval } from '../interval.ts';
import { bootstrapP } from '../p-values.ts';
import { type Cases, FEW_CASES_REASON, isFewCases, meanHasInterval } from './cases.ts';
import { meanOfKnown, plainAuc, resampledAucs } from './resamples.ts';
import { numberClusters, weightedColumn } from './weighted.ts';

export interface AucDrawsInput {
  /** One column a finding, each [N]. */
  scores: readonly ArrayLike<number>[];
  /** One column a finding, each [N], 0 or 1. */
  labels: readonly ArrayLike<number>[];
  /** [N]: the patient of each image. Images of a patient are drawn together. */
  clusters: readonly string[];
  resamples: number;
  seed: number | string;
  /** Told how many of the resamples are done. */
  onProgress?: ((done: number) => void) | undefined;
}

/** One run's AUCs in every resample of patients. Two runs drawn on the same images with one seed are drawn alike. */
export interface AucDraws {
  /** Per column, of all images; NaN where a class is absent. */
  observed: number[];
  /** [columns][resamples]; NaN without both classes. */
  drawn: Float64Array[];
  /** Per column. */
  cases: Cases[];
}

/** AUC of A minus AUC of B. */
export interface AucDifference {
  /** Null where a class is absent. */
  difference: number | null;
  /** 95 % percentile interval; null with few cases (`isFewCases`), and where fewer than half of the resamples had both classes. */
  interval: [number, number] | null;
  /** Two-sided, `bootstrapP`; null as the interval. */
  p: number | null;
  /** Why there is no interval: `few cases`. */
  reason?: string;
}

export interface PairedAucBootstrap {
  /** One per column. */
  columns: AucDifference[];
  /** Of the mean AUC over the columns that have both classes; without an interval if one of them has few cases. */
  mean: AucDifference;
}

/** @throws CxrError BAD_INPUT for unequal lengths, NaN scores, labels other than 0 and 1 */
export function aucDraws({ scores, labels, clusters, resamples, seed, onProgress }: AucDrawsInput): AucDraws {
  if (scores.length !== labels.length) {
    throw new CxrError('BAD_INPUT', `${scores.length} score columns for ${labels.length} label columns: expected as many`);
  }
  const { ids, count } = numberClusters(clusters);
  const columns = scores.map((column, index) => weightedColumn(column, labels[index]!, ids));
  return {
    observed: columns.map((column) => plainAuc(column, count)),
    drawn: resampledAucs(columns, { patients: count, resamples, seed, onProgress }),
    cases: columns.map(({ positives, negatives }) => ({ positives: positives.length, negatives: negatives.length })),
  };
}

/**
 * Difference of two runs' AUCs under resampling of patients: every resample is one set of patients that both runs are scored on, so that
 * what they share cancels. A resample without both classes of a column is left out for this column.
 */
export function aucDifferences(a: AucDraws, b: AucDraws): PairedAucBootstrap {
  const columns = a.drawn.map((values, index) => values.map((value, r) => value - b.drawn[index]![r]!));
  const observed = a.observed.map((value, index) => value - b.observed[index]!);
  const means = Float64Array.from(columns[0] ?? [], (_, r) => meanOfKnown(columns.map((values) => values[r]!)));
  return {
    columns: observed.map((value, index) => summary(value, columns[index]!, isFewCases(a.cases[index]!))),
    mean: summary(meanOfKnown(observed), means, !meanHasInterval(a.cases)),
  };
}

function summary(value: number, draws: Float64Array, few: boolean): AucDifference {
  if (Number.isNaN(value)) return { difference: null, interval: null, p: null };
  if (few) return { difference: value, interval: null, p: null, reason: FEW_CASES_REASON };
  const known = draws.filter((drawn) => !Number.isNaN(drawn));
  const enough = known.length * 2 > draws.length;
  return { difference: value, interval: enough ? percentileInterval(known) : null, p: enough ? bootstrapP(known) : null };
}
