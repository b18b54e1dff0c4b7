import { ALPHA } from '../p-values.ts';
import type { ClaimedRelation } from './claims.ts';

/** Two accuracies are comparable when the interval of their difference lies within this of zero [ours]. */
export const COMPARABLE_MARGIN = 0.05;

/** Whether what the paper found is there in the data at hand. */
export type ClaimVerdict = 'holds' | 'does not hold' | 'cannot be told';

/** A difference that was tested among others. */
export interface Tested extends Adjusted {
  difference: number | null;
  interval: [number, number] | null;
}

/** A difference with its p-value adjusted for all those tested beside it (Holm), and the direction that it supports at 5 %. */
export interface Adjusted {
  adjustedP: number | null;
  direction: 'higher' | 'lower' | 'cannot be told';
}

export function adjusted<T extends { difference: number | null }>(tested: T, adjustedP: number | null): T & Adjusted {
  const told = tested.difference !== null && adjustedP !== null && adjustedP < ALPHA;
  return { ...tested, adjustedP, direction: told ? (tested.difference! > 0 ? 'higher' : 'lower') : 'cannot be told' };
}

/**
 * A direction holds when the adjusted test supports it and does not hold when the test supports the opposite. "Comparable" holds when the
 * 95 % interval lies within the margin, and does not when it lies beyond it or when the test supports the direction opposite to "still".
 * All else cannot be told: that a test finds no difference is no evidence of there being none.
 */
export function claimVerdict(says: ClaimedRelation, tested: Tested): ClaimVerdict {
  const { direction, interval } = tested;
  if (says === 'higher' || says === 'lower') {
    if (direction === 'cannot be told') return direction;
    return direction === says ? 'holds' : 'does not hold';
  }
  if (!interval) return 'cannot be told';
  const [low, high] = interval;
  const opposite = says === 'comparable, still higher' ? 'lower' : 'higher';
  if (direction === opposite || low > COMPARABLE_MARGIN || high < -COMPARABLE_MARGIN) return 'does not hold';
  return low >= -COMPARABLE_MARGIN && high <= COMPARABLE_MARGIN ? 'holds' : 'cannot be told';
}
