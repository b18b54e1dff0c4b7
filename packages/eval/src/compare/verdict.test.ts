import { BOXED_FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import reference from '../../reference/verdict.json' with { type: 'json' };
import { localizationOfIous } from '../localization/localization.ts';
import { pairScores } from '../localization/pair-scores.ts';
import type { IouTable, PairIous } from '../localization/types.ts';
import { iouTable, type VerdictCase, verdictTable } from '../testing.ts';
import { compareRuns } from './compare.ts';
import { VERDICT_RESAMPLES, withVerdicts } from './verdict.ts';

const tableOf = ([seed, levels, columns]: readonly unknown[]): IouTable => verdictTable({ seed, levels, columns } as VerdictCase);

function compareTables(a: IouTable, b: IouTable, firstDraw = 0) {
  return compareRuns({ a: { label: 'A', method: null, ious: a }, b: { label: 'B', method: null, ious: b }, firstDraw }).localization;
}

describe('verdicts beside the direct computation', () => {
  // reference/verdict.py
  it.each(reference.cases)('agree with it: run $a.0 over $b.0, draws from $first', ({ a, b, first, findings }) => {
    const rows = compareTables(tableOf(a), tableOf(b), first);
    for (const [index, expected] of findings.entries()) {
      const { pairs, mean, at03 } = rows[index]!;
      expect([pairs, mean.direction]).toEqual([expected.pairs, expected.direction]);
      for (const [measured, wanted] of [
        [mean, expected.mean],
        [at03, expected.at03],
      ] as const) {
        if (!wanted) expect([measured.difference, measured.interval, measured.p]).toEqual([null, null, null]);
        else expect(measured.difference).toBeCloseTo(wanted.difference, 12);
        for (const side of [0, 1]) if (wanted?.interval) expect(measured.interval![side]).toBeCloseTo(wanted.interval[side]!, 12);
        if (wanted?.p) expect(measured.p).toBeCloseTo(wanted.p, 12);
        else expect(measured.p).toBeNull();
      }
      if (expected.adjustedP === null) expect([mean.adjustedP, mean.standardError]).toEqual([null, null]);
      else {
        expect(mean.adjustedP).toBeCloseTo(expected.adjustedP, 12);
        expect(mean.standardError).toBeCloseTo(expected.standardError!, 12);
      }
    }
  });

  it('are of every kind there', () => {
    const said = reference.cases.flatMap(({ findings }) => findings.map(({ direction }) => direction));
    expect(new Set(said)).toEqual(new Set(['higher', 'lower', 'no difference detected']));
    const near = reference.cases.flatMap(({ findings }) => findings.filter(({ adjustedP }) => adjustedP !== null && adjustedP < 0.05));
    expect(near.length).toBeGreaterThan(0);
  });
});

describe('a verdict', () => {
  const [a, b] = [tableOf(reference.cases[0]!.a), tableOf(reference.cases[0]!.b)];

  it('is turned when the runs are turned', () => {
    const turned = compareTables(b, a);
    const words = { higher: 'lower', lower: 'higher', 'no difference detected': 'no difference detected' } as const;
    for (const [index, { mean, points }] of compareTables(a, b).entries()) {
      const other = turned[index]!;
      expect(other.mean.direction).toBe(words[mean.direction]);
      expect([other.mean.p, other.mean.adjustedP, other.mean.standardError]).toEqual([mean.p, mean.adjustedP, mean.standardError]);
      if (mean.difference !== null) expect(other.mean.difference).toBeCloseTo(-mean.difference, 12);
      if (mean.interval) expect(other.mean.interval![0]).toBeCloseTo(-mean.interval[1], 12);
      expect(other.points.map(({ p }) => p)).toEqual(points.map(({ p }) => p));
    }
  });

  it('is none for a run and itself, and the order of the pairs changes nothing', () => {
    for (const { mean } of compareTables(a, a)) {
      expect(mean.direction).toBe('no difference detected');
      if (mean.pairs >= 10) expect([mean.difference, mean.interval, mean.p]).toEqual([0, [0, 0], 1]);
    }
    expect(compareTables({ ...a, pairs: a.pairs.toReversed() }, b)).toEqual(compareTables(a, b));
  });

  it('is of the pairs that both hold, thresholds chosen on all of each run', () => {
    const half = { ...b, pairs: b.pairs.filter(({ patientId }) => Number(patientId) < 12) };
    const once = { ...half, pairs: half.pairs.map((pair) => ({ ...pair, ious: pair.ious.subarray(0, 1) })) };
    const whole = pairScores(a);
    for (const [index, { pairs, mean }] of compareTables(a, once).entries()) {
      const own = BOXED_FINDINGS[index]!;
      const shared = whole[own].filter(({ patientId }) => Number(patientId) < 12);
      expect(pairs).toBe(shared.length);
      const hits = ({ hits: values }: { hits: Float64Array }) => values.reduce((x, y) => x + y) / 7;
      const other = new Map(pairScores(once)[own].map((pair) => [pair.image, hits(pair)]));
      const expected = shared.reduce((sum, pair) => sum + hits(pair) - other.get(pair.image)!, 0) / shared.length;
      if (pairs > 0) expect(mean.difference).toBeCloseTo(expected, 12);
    }
  });

  it('has as score the mean of twenty curves, each of all pairs', () => {
    const scores = pairScores(a, 40);
    // 40 pairs of 23 patients: every fold of every draw is usable
    const accuracies = Array.from({ length: 20 }, (_, draw) => {
      // every patient with a box has a part, also where no pair of theirs is scored
      const pairs: PairIous[] = a.patients.map((patientId) => ({
        image: patientId,
        patientId,
        finding: 'Pneumothorax',
        ious: new Float64Array(256),
      }));
      const { scored } = localizationOfIous([...a.pairs, ...pairs], { seed: 40 + draw, resamples: 0 }).findings.Atelectasis;
      return new Map(scored.map(({ image, ious }) => [image, ious.filter((iou) => iou !== null)]));
    });
    for (const { image, hits } of scores.Atelectasis) {
      const ious = accuracies.flatMap((draw) => draw.get(image)!);
      expect(ious).toHaveLength(80);
      expect(hits[2]).toBeCloseTo(ious.filter((iou) => iou > 0.3).length / 80, 12);
    }
  });

  it('refuses pairs that occur twice and patients that are not among the boxed ones', () => {
    expect(() => pairScores({ ...a, pairs: [...a.pairs, a.pairs[0]!] })).toThrow('two Atelectasis pairs of 0-00.png');
    expect(() => pairScores({ ...a, patients: ['1'] })).toThrow(/patient \d+ of 0-\d\d\.png is not among the boxed patients/);
  });

  it('needs ten pairs, of more than one patient', () => {
    const pairs = (count: number, patients: number, iou: number): IouTable =>
      iouTable(
        Array.from({ length: count }, (_, i) => {
          return { image: `${i}.png`, patientId: String(i % patients), finding: 'Mass', ious: new Float64Array(256).fill(iou) };
        }),
      );
    const mass = (count: number, patients: number) => compareTables(pairs(count, patients, 0.8), pairs(count, patients, 0))[4]!;
    expect(mass(10, 10).mean).toMatchObject({ difference: 1, direction: 'higher' });
    expect(mass(9, 9).mean).toMatchObject({ difference: 1, interval: null, p: null, adjustedP: null, direction: 'no difference detected' });
    expect(mass(20, 1).mean).toMatchObject({ pairs: 0, difference: null, direction: 'no difference detected' }); // no fold has both parts
  });
});

describe('the Monte Carlo error', () => {
  const one = (p: number) => withVerdicts([{ difference: 1, p }])[0]!;

  it('must fit twice between p and 0.05', () => {
    // p + 2 sqrt(p (2 - p) / 20000) = 0.05 at p = 0.045789...
    expect(one(0.0457).direction).toBe('higher');
    expect(one(0.0459).direction).toBe('no difference detected');
    expect(one(0.0459).standardError).toBeCloseTo(Math.sqrt((0.0459 * 1.9541) / VERDICT_RESAMPLES), 15);
    expect(withVerdicts([{ difference: -1, p: 0.0459 }], 'formula')[0]).toMatchObject({ standardError: 0, direction: 'lower' });
  });

  it("is multiplied by Holm's factor, both of the finding whose p the adjusted p comes from", () => {
    const [first, second, third] = withVerdicts([0.012, 0.01, 0.9].map((p) => ({ difference: 1, p })));
    const error = 3 * Math.sqrt((0.01 * 1.99) / VERDICT_RESAMPLES);
    expect(first).toEqual({ difference: 1, p: 0.012, adjustedP: 0.03, standardError: error, direction: 'higher' });
    expect(second).toMatchObject({ adjustedP: 0.03, standardError: error });
    expect(third!.standardError).toBeCloseTo(Math.sqrt((0.9 * 1.1) / VERDICT_RESAMPLES), 15);
    // eight tests: 8 x 0.0058 = 0.0464 is below 0.05, its error of 0.0061 is not
    const eight = withVerdicts([0.0058, ...Array<number>(7).fill(0.9)].map((p) => ({ difference: 1, p })));
    expect(eight[0]!.adjustedP).toBeLessThan(0.05);
    expect(eight[0]!.direction).toBe('no difference detected');
  });

  it('counts no test that was not made', () => {
    const rows = withVerdicts([0.02, null, null].map((p) => ({ difference: 1, p })));
    expect(rows.map(({ adjustedP, direction }) => [adjustedP, direction])).toEqual([
      [0.02, 'higher'],
      [null, 'no difference detected'],
      [null, 'no difference detected'],
    ]);
  });

  it('is what other draws change: the standard deviation of p over bootstraps with other seeds', () => {
    // p is twice a binomial share: 2 k / n with k of n draws below zero
    const n = VERDICT_RESAMPLES;
    const p = 0.03;
    const share = p / 2;
    expect(one(p).standardError).toBeCloseTo(2 * Math.sqrt((share * (1 - share)) / n), 12);
  });
});
