import type { Finding } from '@cxr-lens/data';
import type { ClaimedRelation, PaperClaim } from './claims.ts';
import type { Verdict } from './verdict.ts';

/** Two accuracies are comparable when the interval of their difference lies within this of zero [ours]. */
export const COMPARABLE_MARGIN = 0.05;

/** Whether what the paper found is there in the data at hand. */
export type ClaimVerdict = 'holds' | 'does not hold' | 'undecided';

/** A difference with its verdict. */
export interface Tested extends Verdict {
  difference: number | null;
  interval: [number, number] | null;
}

/** A measured difference in words beside the paper's; `claim` and `verdict` are null where the paper makes no claim. */
export interface Answer {
  claim: PaperClaim | null;
  verdict: ClaimVerdict | null;
  /** What was measured and, where the paper makes a claim, whether it holds, in whole sentences. */
  sentence: string;
}

/** What the paper says of the two runs' methods. */
export type ClaimOf = (finding: Finding | 'mean') => PaperClaim | null;

export function answer(sentence: string, claim: PaperClaim | null, tested: Tested): Answer {
  if (!claim) return { claim, verdict: null, sentence };
  const verdict = claimVerdict(claim.says, tested);
  return { claim, verdict, sentence: `${sentence} ${claimSentence(claim, verdict)}` };
}

/**
 * A direction holds when it was found and does not hold when the opposite was. "Comparable" holds when the 95 % interval lies within the
 * margin; it does not when the difference was found and its interval lies beyond the margin, or when the direction opposite to "still" was
 * found. All else is undecided: a difference that is not detected confirms no equality. Nor does an interval without width, where no
 * pair differs and there is nothing to resample.
 */
export function claimVerdict(says: ClaimedRelation, { direction, interval }: Tested): ClaimVerdict {
  const found = direction !== 'no difference detected';
  if (says === 'higher' || says === 'lower') {
    if (!found) return 'undecided';
    return direction === says ? 'holds' : 'does not hold';
  }
  if (!interval) return 'undecided';
  const [low, high] = interval;
  const opposite = says === 'comparable, still higher' ? 'lower' : 'higher';
  if (direction === opposite || (found && (low > COMPARABLE_MARGIN || high < -COMPARABLE_MARGIN))) return 'does not hold';
  return low < high && low >= -COMPARABLE_MARGIN && high <= COMPARABLE_MARGIN ? 'holds' : 'undecided';
}

/** `The paper's finding, "higher", holds in this data.` */
function claimSentence({ says }: PaperClaim, verdict: ClaimVerdict): string {
  return `The paper's finding, "${says}", ${verdict === 'undecided' ? 'is undecided' : verdict} in this data.`;
}
