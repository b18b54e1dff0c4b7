import { describe, expect, it } from 'vitest';
import reference from '../../reference/paired.json' with { type: 'json' };
import { pairCase, scoreCase } from '../testing.ts';
import { auc } from './auc.ts';
import { pairedDelong } from './delong.ts';

describe('pairedDelong', () => {
  // reference/paired.py: MLstatkit's Delong_test, itself checked by a direct O(mn) sum
  it.each(reference.cases)('agrees with MLstatkit: seed $seed, $n images, $levels levels', (expected) => {
    const { scoresA, scoresB, labels } = pairCase(expected);
    const result = pairedDelong(scoresA, scoresB, labels);
    const half = 1.959963984540054 * Math.sqrt(expected.variance);
    const difference = expected.aucA - expected.aucB;
    for (const [measured, wanted] of [
      [result.aucA, expected.aucA],
      [result.aucB, expected.aucB],
      [result.difference, difference],
      [result.variance, expected.variance],
      [result.ci![0], difference - half],
      [result.ci![1], difference + half],
      [result.z, expected.z],
      [result.p, expected.p],
    ] as const) {
      expect(Math.abs(measured! - wanted)).toBeLessThan(1e-9);
    }
  });

  it('is antisymmetric and depends on the ranks alone', () => {
    const { scoresA, scoresB, labels } = pairCase({ seed: 8, n: 300, levels: 12, prevalence: 0.3, share: 1 });
    const forward = pairedDelong(scoresA, scoresB, labels);
    const backward = pairedDelong(scoresB, scoresA, labels);
    expect(backward.z).toBeCloseTo(-forward.z!, 12);
    expect(backward.p).toBeCloseTo(forward.p!, 12);
    const otherUnit = scoresA.map((score) => Math.exp(2 * score));
    expect(pairedDelong(otherUnit, scoresB, labels)).toEqual(forward);
    expect(pairedDelong(otherUnit, scoresA, labels)).toMatchObject({ difference: 0, variance: 0, z: 0, p: 1 });
  });

  it('against a constant score has the variance of the single AUC', () => {
    const { scores, labels } = scoreCase({ seed: 9, n: 200, levels: 10, prevalence: 0.4 });
    const result = pairedDelong(scores, new Float64Array(200), labels);
    expect(result.difference).toBeCloseTo(auc(scores, labels).auc! - 0.5, 14);
    expect(result.variance).toBeCloseTo(auc(scores, labels).variance!, 14);
  });

  it('has no test where the difference has no variance, a class is absent or has one image', () => {
    const perfect = pairedDelong([1, 2, 3, 4], [4, 3, 2, 1], [0, 0, 1, 1]);
    expect(perfect).toMatchObject({ difference: 1, variance: 0, ci: null, z: null, p: null, reason: 'no variance: no test' });
    expect(pairedDelong([1, 2], [2, 1], [0, 0])).toMatchObject({ aucA: null, difference: null, p: null, reason: 'no positive image' });
    expect(pairedDelong([1, 2], [2, 1], [1, 1]).reason).toBe('no negative image');
    expect(pairedDelong([1, 2, 3], [3, 2, 1], [0, 0, 1])).toMatchObject({
      aucA: 1,
      aucB: 0,
      variance: null,
      p: null,
      reason: 'one positive image: no variance',
    });
  });

  it('refuses unequal lengths, NaN and other labels', () => {
    expect(() => pairedDelong([1, 2], [1], [0, 1])).toThrow('2 and 1 scores: expected two scores of each image');
    expect(() => pairedDelong([1, 2], [1, Number.NaN], [0, 1])).toThrow('score 1 is NaN');
    expect(() => pairedDelong([1, 2], [1, 2], [0, 3])).toThrow('label 1 is 3');
  });
});
