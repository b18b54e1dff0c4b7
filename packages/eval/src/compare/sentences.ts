import { type Finding, findingLabel } from '@cxr-lens/data';
import { fixed, fixedInterval, pText } from '../words.ts';
import type { PaperClaim } from './claims.ts';
import type { ClaimVerdict, Tested } from './verdict.ts';

interface Subject {
  a: string;
  b: string;
  finding: Finding | 'mean';
}

/** "Robust is higher than Baseline by 0.12 (0.03 to 0.21) for Cardiomegaly, mean over T (adjusted p = 0.004)." */
export function localizationSentence({ a, b, finding }: Subject, tested: Tested & { pairs: number }): string {
  const { direction } = tested;
  const name = nameOf(finding);
  if (direction !== 'cannot be told') {
    return `${a} is ${direction} than ${b} by ${sizeOf(tested, 2)} for ${name}, mean over T (adjusted ${pText(tested.adjustedP!)}).`;
  }
  const pairs = tested.pairs === 1 ? '1 pair' : `${tested.pairs} pairs`;
  return `No difference between ${a} and ${b} can be told for ${name}: ${[...measured(tested, { digits: 2, adjusted: 'adjusted ' }), pairs].join(', ')}.`;
}

/** "CheXNet has a higher AUC than Baseline by 0.021 (0.010 to 0.032) for Mass (adjusted p = 0.004)." */
export function aucSentence({ a, b, finding }: Subject, tested: Tested & { reason?: string | undefined }): string {
  const { direction } = tested;
  const name = nameOf(finding);
  const adjusted = finding === 'mean' ? '' : 'adjusted '; // the mean is one test
  if (direction !== 'cannot be told') {
    return `${a} has a ${direction} AUC than ${b} by ${sizeOf(tested, 3)} for ${name} (${adjusted}${pText(tested.adjustedP!)}).`;
  }
  const known = [...measured(tested, { digits: 3, adjusted }), ...(tested.reason ? [tested.reason] : [])].join(', ');
  return `No difference of AUC between ${a} and ${b} can be told for ${name}${known ? `: ${known}` : ''}.`;
}

/** `The paper's finding, "higher", holds in this data.` */
export function claimSentence({ says }: PaperClaim, verdict: ClaimVerdict): string {
  if (verdict === 'cannot be told') return `Whether the paper's finding, "${says}", holds cannot be told from this data.`;
  return `The paper's finding, "${says}", ${verdict} in this data.`;
}

/** "0.01 (-0.05 to 0.07; adjusted p = 0.64)" */
function measured({ difference, interval, adjustedP }: Tested, { digits, adjusted }: { digits: number; adjusted: string }): string[] {
  if (difference === null || !interval || adjustedP === null) return [];
  const range = interval.map((value) => fixed(value, digits)).join(' to ');
  return [`${fixed(difference, digits)} (${range}; ${adjusted}${pText(adjustedP)})`];
}

/** Size of a difference without its sign, which the sentence says in words. */
function sizeOf({ difference, interval }: Tested, digits: number): string {
  const [low, high] = difference! > 0 ? interval! : ([-interval![1], -interval![0]] as const);
  return fixedInterval(Math.abs(difference!), [low, high], digits);
}

function nameOf(finding: Finding | 'mean'): string {
  return finding === 'mean' ? 'the mean over the findings' : findingLabel(finding);
}
