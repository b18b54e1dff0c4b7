import { FEW_CASES_REASON } from '@cxr-lens/eval';

/** 62 for 0.62. */
export const percent = (ratio: number): string => (100 * ratio).toFixed(0);

/** ` (0.51 to 0.72)`, or nothing where there is no interval. */
const interval = (low: number | null, high: number | null): string =>
  low === null || high === null ? '' : ` (${low.toFixed(2)} to ${high.toFixed(2)})`;

/** The interval of an AUC, or ` (few cases)` in its place. */
export const aucInterval = ({ low, high, reason }: { low: number | null; high: number | null; reason: string | null }): string =>
  reason === FEW_CASES_REASON ? ` (${FEW_CASES_REASON})` : interval(low, high);

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
