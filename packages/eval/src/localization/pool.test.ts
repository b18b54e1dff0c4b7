import { BOXED_FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { referencePairs } from '../testing.ts';
import { patientParts } from './folds.ts';
import { localization } from './localization.ts';
import { nihLocalization } from './nih.ts';
import { patchLocalization } from './patches.ts';
import { poolLocalization } from './pool.ts';

const pairs = referencePairs(500).map((pair) => ({ ...pair, map: pair.map.map((value) => value / 2) }));
const parts = patientParts(
  pairs.map(({ patientId }) => patientId),
  3,
);
const folds = [0, 1, 2, 3, 4].map((part) =>
  patchLocalization(
    pairs.filter(({ patientId }) => parts.get(patientId) === part),
    { seed: 3, resamples: 0 },
  ),
);

describe('poolLocalization', () => {
  it('makes of five disjoint folds what one run would have made of all pairs', () => {
    const pooled = poolLocalization(folds, { resamples: 200 });
    const whole = patchLocalization(pairs, { seed: 3, resamples: 200 });
    expect(pooled.protocol).toEqual(whole.protocol);
    for (const finding of BOXED_FINDINGS) {
      const { scored, ...curve } = pooled.findings[finding];
      const { scored: all, ...expected } = whole.findings[finding];
      expect(new Set(scored)).toEqual(new Set(all));
      // the bands too: the draws go by patient number, not by the order of the pairs
      for (const [t, point] of curve.points.entries()) {
        const wanted = expected.points[t]!;
        for (const key of ['accuracy', 'low', 'high'] as const) {
          if (wanted[key] === null) expect(point[key]).toBeNull();
          else expect(point[key]).toBeCloseTo(wanted[key], 12);
        }
      }
      expect([curve.pairs, curve.reason, curve.threshold]).toEqual([expected.pairs, expected.reason, null]);
    }
  });

  it('refuses pairs that occur twice', () => {
    expect(() => poolLocalization([folds[0]!, folds[1]!, folds[0]!])).toThrow(/two \w+ pairs of \d+_\d+\.png/);
  });

  it('refuses nothing, other protocols or seeds, and protocols that have folds or boxes of their own', () => {
    expect(() => poolLocalization([])).toThrow('expected at least one');
    expect(() => poolLocalization([folds[0]!, { ...folds[1]!, seed: 4 }])).toThrow(
      'protocol patches, seed 3 and of protocol patches, seed 4',
    );
    expect(() => poolLocalization([folds[0]!, localization(pairs, { seed: 3, threshold: 9 })])).toThrow('and of protocol fixed-9, seed 3');
    expect(() => poolLocalization([localization(pairs, { seed: 3 })])).toThrow('protocol paper cannot be pooled');
    const { findings, ...rest } = localization(pairs, { seed: 3, resamples: 0 });
    for (const curve of Object.values(findings)) curve.scored = curve.scored.filter(({ ious }) => ious[0] !== null);
    expect(() => poolLocalization([{ ...rest, findings }])).toThrow('protocol paper cannot be pooled');
    expect(() => poolLocalization([nihLocalization(pairs, { seed: 3, resamples: 0 })])).toThrow('protocol nih cannot be pooled');
  });

  it('keeps the threshold of a protocol with a fixed one', () => {
    const fixed = localization(pairs, { seed: 3, threshold: 90, resamples: 0 });
    expect(poolLocalization([fixed], { resamples: 0 })).toEqual(fixed);
  });
});
