import { describe, expect, it } from 'vitest';
import { scoreCase } from '../testing.ts';
import { auc } from './auc.ts';
import { aucBootstrap } from './bootstrap.ts';

const { scores, labels } = scoreCase({ seed: 21, n: 600, levels: 100, prevalence: 0.3 });
const own = Array.from(scores, (_, i) => `patient ${i}`);

describe('aucBootstrap', () => {
  it('agrees with DeLong when every image has its own patient', () => {
    const { ci } = aucBootstrap({ scores: [scores], labels: [labels], clusters: own, seed: 1 });
    const delong = auc(scores, labels).ci!;
    // two estimates of one interval of width 0.08: Monte Carlo error of a 2.5 % quantile of 2,000 draws is about 0.0015
    expect(Math.abs(ci[0]![0] - delong[0])).toBeLessThan(0.006);
    expect(Math.abs(ci[0]![1] - delong[1])).toBeLessThan(0.006);
  });

  it('is wider by about sqrt(4) when every image is there four times under one patient', () => {
    const four = <T>(values: ArrayLike<T>): T[] => Array.from(values).flatMap((value) => [value, value, value, value]);
    const input = { scores: [four(scores)], labels: [four(labels)], seed: 1 };
    const width = ([low, high]: [number, number]) => high - low;
    const clustered = width(aucBootstrap({ ...input, clusters: four(own) }).ci[0]!);
    const ignored = width(auc(input.scores[0]!, input.labels[0]!).ci!);
    expect(clustered / ignored).toBeGreaterThan(1.8);
    expect(clustered / ignored).toBeLessThan(2.2);
  });

  it('is seeded, and the interval of the mean of two equal columns is theirs', () => {
    const input = { scores: [scores, scores], labels: [labels, labels], clusters: own, resamples: 200 };
    const first = aucBootstrap({ ...input, seed: 4 });
    expect(aucBootstrap({ ...input, seed: 4 })).toEqual(first);
    expect(aucBootstrap({ ...input, seed: 5 })).not.toEqual(first);
    expect(first.ci[0]).toEqual(first.ci[1]);
    expect(first.meanCi![0]).toBeCloseTo(first.ci[0]![0], 12);
  });

  it('counts each resample as the AUC of the images drawn', () => {
    // two patients: the draws are (a, a), (b, b), (a, b); both classes only come together in a
    const [ten, many] = [Array<number>(10).fill(0), Array<string>(10).fill('a')];
    const column = { scores: [[...ten, ...ten.map(() => 2), 1]], labels: [[...ten, ...ten.map(() => 1), 0]] };
    const { ci } = aucBootstrap({ ...column, clusters: [...many, ...many, 'b'], resamples: 400, seed: 1 });
    expect(ci[0]).toEqual([1, 1]);
  });

  it('has no interval with few cases, nor has a mean that such a finding is in; a finding without a class is in none', () => {
    const rare = (positives: number) => Array.from({ length: 600 }, (_, i) => (i < positives ? 1 : 0));
    const [none, nine, ten] = [0, 9, 10].map((positives) =>
      aucBootstrap({ scores: [scores, scores], labels: [labels, rare(positives)], clusters: own, resamples: 100, seed: 1 }),
    );
    expect([none, nine, ten].map((one) => one!.ci.map((ci) => ci !== null))).toEqual([
      [true, false],
      [true, false],
      [true, true],
    ]);
    expect([none, nine, ten].map((one) => one!.meanCi !== null)).toEqual([true, false, true]);
  });

  it('has no interval where most resamples lack a class', () => {
    const { ci, meanCi } = aucBootstrap({ scores: [[1, 2, 3]], labels: [[0, 0, 0]], clusters: ['a', 'b', 'c'], resamples: 50, seed: 1 });
    expect(ci).toEqual([null]);
    expect(meanCi).toBeNull();
  });

  it('refuses unequal lengths', () => {
    expect(() => aucBootstrap({ scores: [scores], labels: [], clusters: own, seed: 1 })).toThrow('1 score columns for 0 label columns');
    expect(() => aucBootstrap({ scores: [[1, 2]], labels: [[0, 1]], clusters: ['a'], seed: 1 })).toThrow('2 scores for 1 patients');
  });
});
