import { describe, expect, it } from 'vitest';
import reference from '../../reference/difference.json' with { type: 'json' };
import { uniform } from '../testing.ts';
import { curveOf } from './curve.ts';
import { localizationDifference } from './difference.ts';
import { localizationOfIous } from './localization.ts';
import { IOU_THRESHOLDS, type LocalizationCurve, type PairIous } from './types.ts';

/** As `scored` in reference/difference.py. */
function referenceCurve(
  [seed, folds]: readonly [number, number],
  { pairs, patients }: { pairs: number; patients: number },
): LocalizationCurve {
  const scored = Array.from({ length: pairs }, (_, i) => {
    const patient = Math.floor(uniform(5, i) * patients);
    const iou = 0.6 * uniform(seed, i) + 0.4 * uniform(6, i);
    const ious = Array.from({ length: folds }, (_, fold) => (folds > 1 && fold === patient % folds ? null : iou * (1 - 0.02 * fold)));
    return { image: `${i}.png`, patientId: String(patient), ious };
  });
  return curveOf({ finding: 'Mass', scored, folds, foldThresholds: Array(folds).fill(null), seed: 0, resamples: 0 });
}

describe('localizationDifference beside the direct computation', () => {
  // reference/difference.py: the accuracies of each resample, counted pair by pair
  it.each(reference.cases)('agrees with it: $a and $b, $pairs pairs', ({ a, b, points, ...options }) => {
    const curves = [a, b].map((one) => referenceCurve(one as [number, number], options));
    for (const [t, iouThreshold] of IOU_THRESHOLDS.entries()) {
      const { difference, interval, p } = localizationDifference(curves[0]!, curves[1]!, { ...options, iouThreshold });
      const expected = points[t]!;
      expect(difference).toBeCloseTo(expected.difference, 12);
      expect(interval![0]).toBeCloseTo(expected.interval[0]!, 12);
      expect(interval![1]).toBeCloseTo(expected.interval[1]!, 12);
      expect(p).toBeCloseTo(expected.p, 12);
    }
  });

  it('is wrong in about 5 % of comparisons of equals', () => {
    let wrong = 0;
    for (let trial = 0; trial < 300; trial++) {
      const shape = { pairs: 60, patients: 40 };
      const [a, b] = [referenceCurve([1000 + 2 * trial, 1], shape), referenceCurve([1001 + 2 * trial, 1], shape)];
      if (localizationDifference(a, b, { resamples: 200, seed: trial }).p! < 0.05) wrong += 1;
    }
    // 300 trials at 5 %: 15 +- 3.8
    expect(wrong).toBeGreaterThan(3);
    expect(wrong).toBeLessThan(30);
  });
});

/** A curve of n pairs whose IoUs are `level` plus the same noise. */
function curve(level: number, { n = 60, noise = 0.3, seed = 1 } = {}): LocalizationCurve {
  const pairs = Array.from({ length: n }, (_, i): PairIous => {
    const ious = new Float64Array(256).fill(Math.min(1, Math.max(0, level + noise * (uniform(seed, i) - 0.5))));
    return { image: `${i}.png`, patientId: String(Math.floor(i / 2)), finding: 'Mass', ious };
  });
  return localizationOfIous(pairs, { seed: 0, resamples: 200 }).findings.Mass;
}

describe('localizationDifference', () => {
  const better = curve(0.4);
  const worse = curve(0.32);

  it('is antisymmetric, with the interval turned', () => {
    const forward = localizationDifference(better, worse);
    const backward = localizationDifference(worse, better);
    expect(forward.interval![0]).toBeGreaterThan(0);
    expect(forward.difference).toBeCloseTo(better.points[2]!.accuracy! - worse.points[2]!.accuracy!, 12);
    expect(backward.difference).toBeCloseTo(-forward.difference!, 12);
    expect(backward.interval![0]).toBeCloseTo(-forward.interval![1], 12);
  });

  it('is zero for a curve and itself', () => {
    expect(localizationDifference(better, better)).toEqual({
      iouThreshold: 0.3,
      difference: 0,
      interval: [0, 0],
      p: 1,
      pairs: 60,
    });
  });

  it('is paired: narrower than the two bands together suggest', () => {
    const { interval } = localizationDifference(better, worse);
    const [a, b] = [better.points[2]!, worse.points[2]!];
    expect(interval![1] - interval![0]).toBeLessThan(Math.hypot(a.high! - a.low!, b.high! - b.low!));
  });

  it('does not depend on the order of the pairs', () => {
    const turned = { ...worse, scored: worse.scored.toReversed() };
    expect(localizationDifference(better, turned)).toEqual(localizationDifference(better, worse));
  });

  it('has no interval with few pairs, and refuses curves of other pairs or other folds', () => {
    expect(localizationDifference(curve(0.6, { n: 9 }), curve(0.1, { n: 9 }))).toMatchObject({ interval: null, p: null });
    expect(localizationDifference(better, worse, { resamples: 0 })).toMatchObject({ interval: null, p: null });
    expect(() => localizationDifference(better, curve(0.3, { n: 59 }))).toThrow('expected the same pairs');
    const other = { ...worse, scored: worse.scored.map((pair) => ({ ...pair, ious: pair.ious.toReversed() })) };
    expect(() => localizationDifference(better, other)).toThrow('expected one protocol and one seed');
    expect(() => localizationDifference(better, worse, { iouThreshold: 0.35 })).toThrow('T(IoU) 0.35');
  });
});
