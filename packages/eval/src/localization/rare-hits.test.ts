import { describe, expect, it } from 'vitest';
import reference from '../../reference/rare_hits.json' with { type: 'json' };
import { referencePairs, uniform } from '../testing.ts';
import { curveBands } from './bands.ts';
import { localizationControls, nihControls, patchControls } from './controls.ts';
import { patientParts } from './folds.ts';
import { localization } from './localization.ts';
import { nihLocalization } from './nih.ts';
import { patchLocalization } from './patches.ts';
import { poolLocalization } from './pool.ts';
import { designEffect, wilsonInterval, withRareHits } from './rare-hits.ts';
import type { LocalizationPoint, LocalizationResult, NihCurve, ScoredPair } from './types.ts';

type Case = (typeof reference.cases)[number];

/** Pairs that hit at T = 0.3 in so many of their folds; of four folds a fifth chose the threshold. */
function scoredOf({ pairs }: Case): ScoredPair[] {
  return pairs.split(' ').map((pair, index) => {
    const [patient, folds, hits] = pair.split('/').map(Number);
    const ious = Array.from({ length: folds! }, (_, fold) => (fold < hits! ? 0.9 : 0));
    return { image: `${index}.png`, patientId: String(patient), ious: folds === 1 ? ious : [...ious, null] };
  });
}

const point = (low: number | null, high: number | null): LocalizationPoint => {
  return { iouThreshold: 0.3, accuracy: 0.1, low, high, sd: null };
};

describe('withRareHits', () => {
  // reference/rare_hits.py: statsmodels, clustered errors of a constant and proportion_confint; 1e-9 is rounding
  it.each(reference.cases)('is the interval of statsmodels with its design effect: $name', (expected) => {
    const [{ low, high }] = withRareHits([point(0.2, 0.2)], scoredOf(expected)) as [LocalizationPoint];
    expect(low).toBeCloseTo(expected.low, 9);
    expect(high).toBeCloseTo(expected.high, 9);
    expect(high!).toBeGreaterThan(low!);
  });

  it('leaves the bootstrap where five pairs hit and five miss, and no interval as none', () => {
    for (const [hits, n, kept] of [
      [4, 20, false],
      [5, 20, true],
      [15, 20, true],
      [16, 20, false],
      [5, 9, false],
    ] as const) {
      const scored = Array.from({ length: n }, (_, i) => ({ image: `${i}`, patientId: `${i}`, ious: [i < hits ? 0.5 : 0.1] }));
      const measured = point(0.123, 0.456);
      expect(withRareHits([measured], scored)[0] === measured, `${hits} of ${n}`).toBe(kept);
      expect(withRareHits([point(null, null)], scored)).toEqual([point(null, null)]);
    }
  });

  it('gives the same when it is applied again', () => {
    for (const one of reference.cases) {
      const once = withRareHits([point(0.1, 0.1)], scoredOf(one));
      expect(withRareHits(once, scoredOf(one))).toEqual(once);
    }
  });
});

describe('designEffect', () => {
  it('is 1 for independent pairs, and the pairs of a patient for patients whose pairs are all alike', () => {
    const independent = Array.from({ length: 30 }, (_, i) => ({ pairs: 1, hits: i < 3 ? 1 : 0 }));
    expect(designEffect(independent)).toBeCloseTo(1, 12);
    const alike = independent.map(({ hits }) => ({ pairs: 4, hits: 4 * hits }));
    // 4, but that m - 1 of 30 patients and n - 1 of 120 pairs are divided by
    expect(designEffect(alike)).toBeCloseTo((4 * 119) / 120 / (29 / 30), 12);
    expect(designEffect([{ pairs: 8, hits: 3 }])).toBeNull();
  });
});

describe('wilsonInterval', () => {
  it('is exact at 0 and 1, mirrors, and closes in with n', () => {
    expect(wilsonInterval(0, 20)[0]).toBe(0);
    expect(wilsonInterval(1, 20)[1]).toBe(1);
    const z2 = 1.959963984540054 ** 2;
    expect(wilsonInterval(0, 20)[1]).toBeCloseTo(z2 / (20 + z2), 12);
    for (const [p, n] of [
      [0.1, 13.7],
      [0.02, 300],
      [0, 1],
    ] as const) {
      const [low, high] = wilsonInterval(p, n);
      const mirrored = wilsonInterval(1 - p, n);
      expect(mirrored[0]).toBeCloseTo(1 - high, 12);
      expect(mirrored[1]).toBeCloseTo(1 - low, 12);
      expect(low <= p && p <= high && low < high).toBe(true);
    }
  });
});

describe('curves of every protocol', () => {
  const pairs = referencePairs(500);
  // maps of noise alone: at the higher T nothing hits
  const poor = pairs.map((pair) => ({ ...pair, map: pair.map.map((_, i) => uniform(pair.map.length, i)) }));
  const options = { seed: 3, resamples: 200 };
  const parts = patientParts(
    pairs.map(({ patientId }) => patientId),
    3,
  );
  const fifths = [0, 1, 2, 3, 4].map((part) =>
    poor
      .filter(({ patientId }) => parts.get(patientId) === part)
      .map((pair) => ({ ...pair, map: pair.map.map((value) => Math.min(1, value)) })),
  );

  it.each([
    ['paper', localization(poor, options)],
    ['a fixed threshold', localization(poor, { ...options, threshold: 100 })],
    ['nih', nihLocalization(poor, options)],
    [
      'five folds of patches, pooled',
      poolLocalization(
        fifths.map((own) => patchLocalization(own, options)),
        options,
      ),
    ],
    ...Object.entries({
      'controls of paper': localizationControls(pairs, options),
      'controls of nih': nihControls(pairs, options),
      'controls of patches': patchControls(pairs, options),
    }).flatMap(([name, { random, centre, bestReachable }]) => [
      [`${name}, random`, random] as const,
      [`${name}, centre`, centre] as const,
      [`${name}, best reachable`, bestReachable] as const,
    ]),
  ] as [string, LocalizationResult][])('no interval has zero width, each holds its value: %s', (_, { findings }) => {
    let rare = 0;
    let plain = 0;
    for (const [finding, curve] of Object.entries(findings)) {
      const { iobb }: Partial<NihCurve> = curve;
      for (const own of [curve.points, iobb?.points ?? []]) {
        for (const { low, high, accuracy } of own) {
          expect([low === null, high === null]).toEqual([curve.reason !== null, curve.reason !== null]);
          if (low === null || high === null) continue;
          expect(high).toBeGreaterThan(low);
          expect(accuracy!).toBeGreaterThanOrEqual(low - 1e-12);
          expect(accuracy!).toBeLessThanOrEqual(high + 1e-12);
        }
      }
      if (curve.reason !== null) continue;
      const usable = [...curve.foldThresholds.keys()];
      const bands = curveBands(curve.scored, { usable, seed: `3/${finding}`, resamples: 200 });
      for (const [t, { low, high, accuracy }] of curve.points.entries()) {
        const hits = accuracy! * curve.pairs;
        if (hits > 6 && curve.pairs - hits > 6) {
          plain += 1;
          expect([low, high]).toEqual(bands[t]); // bit for bit
        } else if (hits < 4) {
          rare += 1;
          expect([low, high]).not.toEqual(bands[t]);
        }
      }
    }
    expect(rare + plain).toBeGreaterThan(0);
  });
});
