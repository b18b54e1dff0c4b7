import { ALPHA, holm } from '../p-values.ts';

/** Resamples of patients that every verdict is drawn from. */
export const VERDICT_RESAMPLES = 20_000;

/** Seeds every bootstrap of a verdict, whatever the seed of the evaluation. */
export const VERDICT_SEED = 0;

/** The word for a difference. */
export type Direction = 'higher' | 'lower' | 'no difference detected';

export interface Verdict {
  /** Adjusted for the tests beside it (Holm); null where the difference was not tested. */
  adjustedP: number | null;
  /** Monte Carlo standard error of `adjustedP`: what other draws would change; null as `adjustedP`. */
  standardError: number | null;
  direction: Direction;
}

/** Whether the p-values come from resamples or from a formula, which has no Monte Carlo error. */
type Source = 'resamples' | 'formula';

/**
 * The one rule for words about differences between two runs: "higher" and "lower" stand where the p-value, adjusted over the tests of this
 * pair of runs alone, is below 0.05 by two of its standard errors, so that other draws give the same words.
 *
 * p is twice a share of the resamples, so its standard error is sqrt(p (2 - p) / resamples); Holm multiplies it as it does p. Both are of
 * the test that the adjusted p comes from.
 */
export function withVerdicts<T extends { difference: number | null; p: number | null }>(
  tested: readonly T[],
  source: Source = 'resamples',
): (T & Verdict)[] {
  const adjusted = holm(tested.map(({ p }) => p));
  return tested.map((one, index) => {
    const found = adjusted[index]!;
    if (found === null || one.difference === null) {
      return { ...one, adjustedP: null, standardError: null, direction: 'no difference detected' };
    }
    const { adjustedP, p, factor } = found;
    const standardError = source === 'formula' ? 0 : factor * Math.sqrt((p * (2 - p)) / VERDICT_RESAMPLES);
    const stands = adjustedP + 2 * standardError < ALPHA;
    return { ...one, adjustedP, standardError, direction: stands ? (one.difference > 0 ? 'higher' : 'lower') : 'no difference detected' };
  });
}
