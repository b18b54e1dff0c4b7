import { describe, expect, it } from 'vitest';
import reference from '../../reference/auc.json' with { type: 'json' };
import { scoreCase, uniform } from '../testing.ts';
import { auc, meanAuc } from './auc.ts';

describe('auc', () => {
  // reference/auc.py: scikit-learn and DeLong's structural components, both in float64; 1e-12 is rounding
  it.each([...reference.cases, ...reference.table])(
    'agrees with the direct computation: seed $seed, $n images, $levels levels',
    (expected) => {
      const { scores, labels } = scoreCase(expected);
      const result = auc(scores, labels);
      expect(result.positives).toBe(expected.positives);
      expect(result.negatives).toBe(expected.n - expected.positives);
      expect(Math.abs(result.auc! - expected.auc)).toBeLessThan(1e-12);
      expect(Math.abs(result.variance! - expected.variance)).toBeLessThan(1e-12);
      const half = 1.959963984540054 * Math.sqrt(expected.variance);
      expect(result.ci![0]).toBeCloseTo(Math.max(0, expected.auc - half), 10);
      expect(result.ci![1]).toBeCloseTo(Math.min(1, expected.auc + half), 10);
    },
  );

  it('is 1 - AUC for reversed scores, with the same variance', () => {
    const { scores, labels } = scoreCase({ seed: 5, n: 300, levels: 15, prevalence: 0.3 });
    const forward = auc(scores, labels);
    const reversed = auc(
      scores.map((score) => -score),
      labels,
    );
    expect(reversed.auc).toBeCloseTo(1 - forward.auc!, 14);
    expect(reversed.variance).toBeCloseTo(forward.variance!, 14);
  });

  it('depends neither on the order of the images nor on a monotone change of unit', () => {
    const { scores, labels } = scoreCase({ seed: 6, n: 200, levels: 12, prevalence: 0.4 });
    const order = Array.from({ length: 200 }, (_, i) => i).sort((a, b) => uniform(7, a) - uniform(7, b));
    const moved = auc(
      order.map((i) => Math.exp(3 * scores[i]!)),
      order.map((i) => labels[i]!),
    );
    expect(moved).toEqual(auc(scores, labels));
  });

  it('is 1 when separated, one half when all scores are equal (0 and -0 too)', () => {
    expect(auc([1, 2, 3, 4], [0, 0, 1, 1])).toMatchObject({ auc: 1, variance: 0 });
    expect(auc([0, -0, 0, -0], [0, 1, 1, 0]).auc).toBe(0.5);
    expect(auc([-Infinity, 0, 1, Infinity], [0, 0, 1, 1]).auc).toBe(1);
  });

  it('is null with the reason where a class is absent', () => {
    expect(auc([1, 2], [0, 0])).toEqual({ auc: null, variance: null, ci: null, positives: 0, negatives: 2, reason: 'no positive image' });
    expect(auc([1, 2], [1, 1]).reason).toBe('no negative image');
    expect(auc([], []).reason).toBe('no positive image');
  });

  it.each([1, 2, 9, 10, 11])('has an interval from ten images of either class on: %i', (cases) => {
    for (const few of [0, 1]) {
      const labels = Array.from({ length: 60 }, (_, i) => (i < cases ? few : 1 - few));
      const result = auc(
        labels.map((_, i) => uniform(3, i)),
        labels,
      );
      expect(result.auc).not.toBeNull();
      expect(result.variance === null).toBe(cases === 1);
      expect(result.ci === null).toBe(cases < 10);
      expect(result.reason).toBe(cases < 10 ? 'few cases' : undefined);
    }
  });

  it('refuses NaN, unequal lengths and labels other than 0 and 1', () => {
    expect(() => auc([1, Number.NaN], [0, 1])).toThrow('score 1 is NaN');
    expect(() => auc([1, 2, 3], [0, 1])).toThrow('3 scores for 2 labels');
    expect(() => auc([1, 2], [0, 2])).toThrow('label 1 is 2: expected 0 or 1');
  });
});

describe('meanAuc', () => {
  it('is the mean over the findings that have one', () => {
    expect(meanAuc([auc([1, 2], [0, 1]), auc([2, 1], [0, 1]), auc([1], [1])])).toBe(0.5);
    expect(meanAuc([auc([1], [1])])).toBeNull();
  });
});
