import type { Finding } from '@cxr-lens/data';
import type { PaperClaim } from './claims.ts';
import { claimSentence } from './sentences.ts';
import type { Judged } from './types.ts';
import { claimVerdict, type Tested } from './verdict.ts';

/** What both parts of a comparison need beside the numbers. */
export interface PartOptions {
  labels: { a: string; b: string };
  claimOf: (finding: Finding | 'mean') => PaperClaim | null;
  seed: number | string;
  resamples: number;
}

/** A measured sentence with the paper's claim and what became of it. */
export function judged(sentence: string, claim: PaperClaim | null, tested: Tested): Judged {
  if (!claim) return { claim, verdict: null, sentence };
  const verdict = claimVerdict(claim.says, tested);
  return { claim, verdict, sentence: `${sentence} ${claimSentence(claim, verdict)}` };
}
