/** With fewer positive or fewer negative images than this an AUC has no interval. */
export const FEW_CASES = 10;

/** The reason that stands in place of the interval. */
export const FEW_CASES_REASON = 'few cases';

export interface Cases {
  positives: number;
  negatives: number;
}

/**
 * Whether a finding has both classes, but too few images of one for an interval. A bootstrap draws the few again and again and DeLong
 * estimates their variance from as many values: with one positive image either interval can have no width.
 */
export function isFewCases({ positives, negatives }: Cases): boolean {
  const fewest = Math.min(positives, negatives);
  return fewest > 0 && fewest < FEW_CASES;
}

/** Whether the mean over these findings has an interval: only if every finding with an AUC has one, or a part of the error is missing. */
export function meanHasInterval(findings: readonly Cases[]): boolean {
  return !findings.some(isFewCases);
}
