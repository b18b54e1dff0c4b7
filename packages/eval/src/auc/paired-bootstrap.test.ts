import { describe, expect, it } from 'vitest';
import reference from '../../reference/paired.json' with { type: 'json' };
import { pairCase, uniform } from '../testing.ts';
import { pairedDelong } from './delong.ts';
import { type AucDrawsInput, aucDifferences, aucDraws } from './paired-bootstrap.ts';

const { scoresA, scoresB, labels } = pairCase({ seed: 21, n: 600, levels: 100, prevalence: 0.3, share: 1 });
const own = Array.from(labels, (_, i) => `patient ${i}`);

type Paired = Omit<AucDrawsInput, 'scores' | 'resamples'> & Record<'scoresA' | 'scoresB', AucDrawsInput['scores']> & { resamples?: number };

const paired = ({ scoresA, scoresB, resamples = 2000, ...input }: Paired) => {
  const draws = (scores: AucDrawsInput['scores']) => aucDraws({ ...input, scores, resamples });
  return aucDifferences(draws(scoresA), draws(scoresB));
};

describe('aucDifferences', () => {
  it('agrees with the direct computation, resample by resample', () => {
    // reference/paired.py: scikit-learn's AUC with weights, the same patients drawn
    const { columns, mean, patients, resamples, seed } = reference.bootstrap;
    const cases = columns.map(({ case: [caseSeed, n, levels, prevalence, share] }) =>
      pairCase({ seed: caseSeed!, n: n!, levels: levels!, prevalence: prevalence!, share: share! }),
    );
    const result = paired({
      scoresA: cases.map((one) => one.scoresA),
      scoresB: cases.map((one) => one.scoresB),
      labels: cases.map((one) => one.labels),
      clusters: Array.from({ length: 240 }, (_, i) => String(Math.floor(uniform(77, i) * patients))),
      resamples,
      seed,
    });
    for (const [index, expected] of [...columns, mean].entries()) {
      const { interval, p } = result.columns[index] ?? result.mean;
      expect(interval![0]).toBeCloseTo(expected.interval[0]!, 12);
      expect(interval![1]).toBeCloseTo(expected.interval[1]!, 12);
      expect(p).toBeCloseTo(expected.p, 12);
    }
    for (const [index, expected] of columns.entries()) {
      expect(result.columns[index]!.difference).toBeCloseTo(expected.difference, 12);
    }
    const differences = columns.map(({ difference }) => difference);
    expect(result.mean.difference).toBeCloseTo(differences.reduce((a, b) => a + b) / 3, 12);
  });

  it('agrees with the paired DeLong interval when every image has its own patient', () => {
    const { columns } = paired({ scoresA: [scoresA], scoresB: [scoresB], labels: [labels], clusters: own, seed: 1 });
    const delong = pairedDelong(scoresA, scoresB, labels);
    // as in bootstrap.test.ts: Monte Carlo error of a 2.5 % quantile of 2,000 draws is about 0.0015
    expect(Math.abs(columns[0]!.interval![0] - delong.ci![0])).toBeLessThan(0.006);
    expect(Math.abs(columns[0]!.interval![1] - delong.ci![1])).toBeLessThan(0.006);
  });

  it('is zero with p = 1 for a run and itself, and turned for runs turned round', () => {
    const same = paired({ scoresA: [scoresA], scoresB: [scoresA], labels: [labels], clusters: own, resamples: 50, seed: 1 });
    expect(same.columns[0]).toEqual({ difference: 0, interval: [0, 0], p: 1 });
    const input = { labels: [labels], clusters: own, resamples: 100, seed: 1 };
    const forward = paired({ ...input, scoresA: [scoresA], scoresB: [scoresB] }).mean;
    const backward = paired({ ...input, scoresA: [scoresB], scoresB: [scoresA] }).mean;
    expect(backward.p).toBe(forward.p);
    expect(backward.interval![0]).toBeCloseTo(-forward.interval![1], 12);
  });

  it('is null where a class is absent, and refuses unequal tables', () => {
    const one = { scoresA: [[1, 2, 3]], scoresB: [[3, 2, 1]], clusters: ['a', 'b', 'c'], seed: 1 };
    const nothing = { difference: null, interval: null, p: null };
    expect(paired({ ...one, labels: [[0, 0, 0]] })).toEqual({ columns: [nothing], mean: nothing });
    expect(() => paired({ ...one, labels: [] })).toThrow('1 score columns for 0 label columns');
  });
});
