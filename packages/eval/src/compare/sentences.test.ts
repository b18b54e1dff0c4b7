import { describe, expect, it } from 'vitest';
import type { Tested } from './answer.ts';
import { aucSentence, localizationSentence } from './sentences.ts';
import { withVerdicts } from './verdict.ts';

const subject = { a: 'Robust', b: 'Baseline', finding: 'Mass' } as const;
const tested = (difference: number, p: number): Tested => {
  return withVerdicts([{ difference, interval: [difference - 0.02, difference + 0.03] as [number, number], p }])[0]!;
};

describe('a sentence', () => {
  it('says which run is higher, by how much and how sure that is', () => {
    expect(localizationSentence(subject, { ...tested(0.1, 0.0123), pairs: 60 })).toBe(
      'Robust is higher than Baseline by 0.10 (0.08 to 0.13) for Mass, mean over T (adjusted p = 0.012).',
    );
    expect(aucSentence(subject, tested(-0.1, 0.0001))).toBe(
      'Robust has a lower AUC than Baseline by 0.100 (0.070 to 0.120) for Mass (adjusted p < 0.001).',
    );
  });

  it('says that none was detected, and why where p is below 0.05', () => {
    expect(localizationSentence(subject, { ...tested(0.01, 0.7), pairs: 1 })).toBe(
      'No difference detected between Robust and Baseline for Mass: 0.01 (-0.01 to 0.04; adjusted p = 0.70), 1 pair.',
    );
    expect(localizationSentence(subject, { ...tested(0.1, 0.0495), pairs: 60 })).toBe(
      'No difference detected between Robust and Baseline for Mass: 0.10 (0.08 to 0.13; adjusted p = 0.0495, with a Monte Carlo error of 0.0022 too near 0.05), 60 pairs.',
    );
    const few = { difference: 0.2, interval: null, adjustedP: null, standardError: null, direction: 'no difference detected' } as const;
    expect(aucSentence({ ...subject, finding: 'mean' }, { ...few, reason: 'few cases' })).toBe(
      'No difference detected in AUC between Robust and Baseline for the mean over the findings: few cases.',
    );
  });
});
