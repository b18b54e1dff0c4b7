import { BOXED_FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { curveOf } from '../localization/curve.ts';
import { PAPER_PROTOCOL } from '../localization/protocol.ts';
import type { LocalizationResult } from '../localization/types.ts';
import { pairIou, typicalPairs } from './typical.ts';

/** Curves of Mass alone, from the IoU of each image in every fold. */
function result(mass: Record<string, (number | null)[]>): LocalizationResult {
  const scored = Object.entries(mass).map(([image, ious]) => ({ image, patientId: image, ious }));
  const curve = (own: typeof scored) => curveOf({ finding: 'Mass', scored: own, folds: 2, foldThresholds: [0, 0], seed: 0, resamples: 0 });
  const findings = Object.fromEntries(BOXED_FINDINGS.map((finding) => [finding, curve(finding === 'Mass' ? scored : [])]));
  return { protocol: PAPER_PROTOCOL, seed: 0, findings: findings as LocalizationResult['findings'] };
}

const robust = result({ 'd.png': [0.9, 0.7], 'a.png': [0.2, null], 'c.png': [0.75, 0.75], 'b.png': [0.5, 0.5], 'e.png': [null, null] });
// robust minus this: a 0, b 0.25, c 0.25, d -0.1
const baseline = result({ 'a.png': [0.2, null], 'b.png': [0.25, 0.25], 'c.png': [0.5, 0.5], 'd.png': [0.9, 0.9], 'e.png': [1, 1] });

describe('typicalPairs', () => {
  it('takes the lower median of the IoU, mean over the folds that score the pair', () => {
    expect(pairIou(robust, { finding: 'Mass', image: 'd.png' })).toBeCloseTo(0.8, 12);
    expect(pairIou(robust, { finding: 'Mass', image: 'a.png' })).toBe(0.2);
    expect(pairIou(robust, { finding: 'Mass', image: 'e.png' })).toBeNull();
    // 0.2, 0.5, 0.75, 0.8
    expect(typicalPairs(robust, null)).toEqual([{ finding: 'Mass', image: 'b.png' }]);
  });

  it('takes the lower median of the difference between two runs', () => {
    // -0.1, 0, 0.25, 0.25
    expect(typicalPairs(robust, baseline)).toEqual([{ finding: 'Mass', image: 'a.png' }]);
    expect(typicalPairs(baseline, robust)).toEqual([{ finding: 'Mass', image: 'b.png' }]); // the first by name of two that are equal
  });

  it('has none for a finding whose pairs no fold scores, or that one of the runs did not see', () => {
    expect(typicalPairs(result({ 'e.png': [null, null] }), null)).toEqual([]);
    expect(typicalPairs(robust, result({ 'z.png': [0.1, 0.1] }))).toEqual([]);
  });
});
