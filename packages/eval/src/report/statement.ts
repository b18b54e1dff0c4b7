import { type BoxedFinding, findingLabel } from '@cxr-lens/data';
import type { LocalizationDifference } from '../localization/difference.ts';

export interface StatementInput {
  finding: BoxedFinding;
  /** The label of the one the sentence is about, usually Robust. */
  a: string;
  /** The label of what it is compared with, usually Baseline. */
  b: string;
  /** Of the curve of `a` minus that of `b`. */
  difference: LocalizationDifference;
}

/**
 * One sentence about one pathology: "Robust is higher than Baseline by 0.12 (0.03 to 0.21) for Cardiomegaly at T = 0.3." or
 * "No difference can be told for Nodule: 18 pairs." The interval is the 95 % one of the paired patient bootstrap, for this pathology
 * alone: it is not widened for looking at eight.
 */
export function statement({ finding, a, b, difference: measured }: StatementInput): string {
  const { difference, interval, pairs, verdict, iouThreshold } = measured;
  const name = findingLabel(finding);
  if (verdict === 'cannot be told' || difference === null || interval === null) {
    return `No difference can be told for ${name}: ${pairs === 1 ? '1 pair' : `${pairs} pairs`}.`;
  }
  const [low, high] = verdict === 'higher' ? interval : ([-interval[1], -interval[0]] as const);
  const size = `${Math.abs(difference).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
  return `${a} is ${verdict} than ${b} by ${size} for ${name} at T = ${iouThreshold}.`;
}
