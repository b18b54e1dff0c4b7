import { type Finding, findingLabel } from '@cxr-lens/data';
import { ALPHA } from '../p-values.ts';
import { fixed, fixedInterval, pText } from '../words.ts';
import type { Tested } from './answer.ts';

interface Subject {
  a: string;
  b: string;
  finding: Finding | 'mean';
}

/** "Robust is higher than Baseline by 0.12 (0.03 to 0.21) for Cardiomegaly, mean over T (adjusted p = 0.004)." */
export function localizationSentence({ a, b, finding }: Subject, tested: Tested & { pairs: number }): string {
  const { direction } = tested;
  const name = nameOf(finding);
  if (direction !== 'no difference detected') {
    return `${a} is ${direction} than ${b} by ${sizeOf(tested, 2)} for ${name}, mean over T (adjusted ${pText(tested.adjustedP!)}).`;
  }
  const pairs = tested.pairs === 1 ? '1 pair' : `${tested.pairs} pairs`;
  return `No difference detected between ${a} and ${b} for ${name}: ${[...measured(tested, { digits: 2, adjusted: 'adjusted ' }), pairs].join(', ')}.`;
}

/** "CheXNet has a higher AUC than Baseline by 0.021 (0.010 to 0.032) for Mass (adjusted p = 0.004)." */
export function aucSentence({ a, b, finding }: Subject, tested: Tested & { reason?: string | undefined }): string {
  const { direction } = tested;
  const name = nameOf(finding);
  const adjusted = finding === 'mean' ? '' : 'adjusted '; // the mean is one test
  if (direction !== 'no difference detected') {
    return `${a} has a ${direction} AUC than ${b} by ${sizeOf(tested, 3)} for ${name} (${adjusted}${pText(tested.adjustedP!)}).`;
  }
  const known = [...measured(tested, { digits: 3, adjusted }), ...(tested.reason ? [tested.reason] : [])].join(', ');
  return `No difference detected in AUC between ${a} and ${b} for ${name}${known ? `: ${known}` : ''}.`;
}

/** "0.01 (-0.05 to 0.07; adjusted p = 0.64)" */
function measured(tested: Tested, { digits, adjusted }: { digits: number; adjusted: string }): string[] {
  const { difference, interval, adjustedP, standardError } = tested;
  if (difference === null || !interval || adjustedP === null) return [];
  const range = interval.map((value) => fixed(value, digits)).join(' to ');
  const near = adjustedP < ALPHA ? `, with a Monte Carlo error of ${standardError!.toFixed(4)} too near ${ALPHA}` : '';
  return [`${fixed(difference, digits)} (${range}; ${adjusted}${near ? `p = ${adjustedP.toFixed(4)}` : pText(adjustedP)}${near})`];
}

/** Size of a difference without its sign, which the sentence says in words. */
function sizeOf({ difference, interval }: Tested, digits: number): string {
  const [low, high] = difference! > 0 ? interval! : ([-interval![1], -interval![0]] as const);
  return fixedInterval(Math.abs(difference!), [low, high], digits);
}

function nameOf(finding: Finding | 'mean'): string {
  return finding === 'mean' ? 'the mean over the findings' : findingLabel(finding);
}
