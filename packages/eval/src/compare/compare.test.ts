import { BOXED_FINDINGS, type BoxedFinding, FINDINGS, type Finding } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { pairedDelong } from '../auc/delong.ts';
import { poolIous } from '../localization/pair-scores.ts';
import type { PairIous } from '../localization/types.ts';
import { iouTable, pairCase, uniform } from '../testing.ts';
import { compareRuns } from './compare.ts';
import type { RunResults, ScoreTable, Truth } from './types.ts';

/** 60 pairs a finding of 30 patients; the IoUs of a finding are `level` plus the same noise in every run, and a little of its own. */
function curves(level: (finding: BoxedFinding) => number, own = 1): PairIous[] {
  return BOXED_FINDINGS.flatMap((finding, j) =>
    Array.from({ length: finding === 'Mass' ? 6 : 60 }, (_, i): PairIous => {
      const noise = 0.4 * (uniform(j + 1, i) - 0.5) + 0.04 * (uniform(own + 100, i) - 0.5);
      const iou = Math.min(1, Math.max(0, level(finding) + noise));
      return { image: `${j}-${i}.png`, patientId: String(Math.floor(i / 2)), finding, ious: new Float64Array(256).fill(iou) };
    }),
  );
}

const baseline: RunResults = { label: 'Baseline', method: 'baseline', ious: iouTable(curves(() => 0.4)) };

/** Higher where the paper says lower and the other way round for two findings, equal for one, comparable for the rest. */
const LEVELS: Record<BoxedFinding, number> = {
  Atelectasis: 0.405,
  Cardiomegaly: 0.5,
  Effusion: 0.3,
  Infiltration: 0.3,
  Mass: 0.6,
  Nodule: 0.5,
  Pneumonia: 0.4,
  Pneumothorax: 0.55,
};
const robust: RunResults = { label: 'Robust', method: 'robust', ious: iouTable(curves((finding) => LEVELS[finding], 2)) };

describe('compareRuns, localisation', () => {
  const { localization, protocols, auc } = compareRuns({ a: robust, b: baseline });
  const of = (finding: BoxedFinding) => localization.find((row) => row.finding === finding)!;

  it('says of each pathology whether the paper holds', () => {
    expect(Object.fromEntries(localization.map(({ finding, verdict }) => [finding, verdict]))).toEqual({
      Atelectasis: 'holds', // comparable
      Cardiomegaly: 'holds', // higher
      Effusion: 'does not hold', // lower instead of comparable
      Infiltration: 'does not hold', // lower instead of higher
      Mass: 'undecided', // six pairs
      Nodule: 'does not hold', // higher instead of lower
      Pneumonia: 'undecided', // equal instead of higher
      Pneumothorax: 'does not hold', // far higher instead of comparable
    });
  });

  it('says it in whole sentences', () => {
    expect(of('Cardiomegaly').sentence).toMatch(
      /^Robust is higher than Baseline by 0\.\d\d \(0\.\d\d to 0\.\d\d\) for Cardiomegaly, mean over T \(adjusted p < 0\.001\)\. The paper's finding, "higher", holds in this data\.$/,
    );
    expect(of('Infiltration').sentence).toMatch(
      /^Robust is lower than Baseline by 0\.\d\d \(0\.\d\d to 0\.\d\d\) for Infiltration, .*\. The paper's finding, "higher", does not hold in this data\.$/,
    );
    expect(of('Mass').sentence).toBe(
      `No difference detected between Robust and Baseline for Mass: 6 pairs. The paper's finding, "comparable, still higher", is undecided in this data.`,
    );
    expect(of('Pneumonia').sentence).toMatch(
      /^No difference detected between Robust and Baseline for Pneumonia: -?0\.\d\d \(-?0\.\d\d to 0\.\d\d; adjusted p = [01]\.\d\d\), 60 pairs\. The paper's finding, "higher", is undecided in this data\.$/,
    );
  });

  it('adjusts over the seven tests that could be made: seven times the smallest, none below its own p', () => {
    const tested = localization.flatMap(({ mean }) => (mean.p === null ? [] : [{ p: mean.p, adjustedP: mean.adjustedP! }]));
    expect(tested).toHaveLength(7);
    const smallest = Math.min(...tested.map(({ p }) => p));
    expect(Math.min(...tested.map(({ adjustedP }) => adjustedP))).toBeCloseTo(7 * smallest, 12);
    for (const { p, adjustedP } of tested) expect(adjustedP).toBeGreaterThanOrEqual(p);
    expect(of('Mass').mean).toMatchObject({ p: null, adjustedP: null, direction: 'no difference detected' });
    expect(of('Cardiomegaly').at03).toMatchObject({ iouThreshold: 0.3, direction: 'higher' });
    expect(of('Cardiomegaly').points).toHaveLength(7);
  });

  it('is turned when the runs are turned, the paper with it', () => {
    const turned = compareRuns({ a: baseline, b: robust }).localization;
    for (const [index, row] of turned.entries()) {
      expect(row.mean.difference).toBeCloseTo(-localization[index]!.mean.difference!, 12);
      expect(row.verdict).toBe(localization[index]!.verdict);
    }
    expect(turned[1]!.claim!.says).toBe('lower');
    expect(turned[0]!.claim!.says).toBe('comparable, still lower');
  });

  it('makes no claim for variants and for methods that the paper does not compare', () => {
    const variant = compareRuns({ a: { ...robust, method: null }, b: baseline }).localization[1]!;
    expect([variant.claim, variant.verdict]).toEqual([null, null]);
    expect(variant.sentence).not.toContain('paper');
    const star = compareRuns({ a: { ...robust, method: 'nih-star' }, b: baseline }).localization[1]!;
    expect(star.claim).toBeNull();
    expect(auc).toBeNull();
    expect(protocols!.a.name).toBe('paper');
  });

  it('compares across protocols on the pairs that both hold, and names both', () => {
    const all = curves((finding) => LEVELS[finding], 3);
    const half = all.filter(({ patientId }) => Number(patientId) < 15);
    const once = half.map((pair) => ({ ...pair, ious: pair.ious.subarray(0, 1) }));
    const folds = [0, 1, 2, 3, 4].map((fold) =>
      iouTable(
        once.filter(({ patientId }) => Number(patientId) % 5 === fold),
        all,
      ),
    );
    const supervised = { label: 'Supervised, five networks', method: 'supervised', ious: poolIous(folds) };
    const result = compareRuns({ a: supervised, b: baseline });
    expect([result.protocols!.a.name, result.protocols!.b.name]).toEqual(['patches', 'paper']);
    const row = result.localization[1]!;
    expect(row.pairs).toBe(30);
    expect(row.mean.direction).toBe('higher');
    expect(row.sentence).toContain('Supervised, five networks is higher than Baseline');
    expect(result.localization[5]!.claim!.says).toBe('lower'); // Nodule
  });

  it('refuses to pool no runs, two protocols, and runs that share a pair', () => {
    const tables = [iouTable(curves(() => 0.4)), iouTable(curves(() => 0.4).map((pair) => ({ ...pair, ious: pair.ious.subarray(0, 1) })))];
    expect(() => poolIous([])).toThrow('expected those of at least one run');
    expect(() => poolIous(tables)).toThrow('IoUs by protocol paper and by patches to pool');
    expect(() => poolIous([tables[0]!, tables[0]!])).toThrow('two Atelectasis pairs of 0-0.png');
  });

  it('is empty without boxes', () => {
    const without = compareRuns({ a: { ...robust, ious: null }, b: baseline });
    expect(without).toEqual({ a: 'Robust', b: 'Baseline', protocols: null, localization: [], auc: null });
  });
});

describe('compareRuns, AUC', () => {
  const n = 800;
  const cases = FINDINGS.map((_, j) => pairCase({ seed: 60 + j, n, levels: 0, prevalence: j === 13 ? 0 : 0.3, share: 1 }));
  const images = Array.from({ length: n }, (_, i) => `${i}.png`);
  const table = (column: (j: number) => ArrayLike<number>) =>
    Object.fromEntries(FINDINGS.map((finding, j) => [finding, column(j)])) as Record<Finding, ArrayLike<number>>;
  const truth: Truth = { images, patientIds: images.map((_, i) => String(Math.floor(i / 3))), labels: table((j) => cases[j]!.labels) };
  const run = (label: string, method: string, scores: ScoreTable): RunResults => ({ label, method, ious: null, scores });
  // scoresB know less of the label than scoresA; Edema alike, Fibrosis turned
  const chexnet = run('CheXNet', 'chexnet', { images, scores: table((j) => (j === 11 ? cases[j]!.scoresB : cases[j]!.scoresA)) });
  const other = run('Baseline', 'baseline', {
    images,
    scores: table((j) => (j === 9 || j === 11 ? cases[j]!.scoresA : cases[j]!.scoresB)),
  });
  const { auc } = compareRuns({ a: chexnet, b: other, truth });
  const of = (finding: Finding) => auc!.findings.find((row) => row.finding === finding)!;

  it('says of each finding and of the mean whether CheXNet has the highest AUC', () => {
    expect(of('Mass').verdict).toBe('holds');
    expect(of('Edema').verdict).toBe('undecided');
    expect(of('Fibrosis').verdict).toBe('does not hold');
    expect(of('Hernia')).toMatchObject({
      verdict: 'undecided',
      bootstrap: { p: null },
      delong: { p: null, reason: 'no positive image' },
    });
    expect(auc!.mean.verdict).toBe('holds');
    expect(of('Mass').sentence).toMatch(
      /^CheXNet has a higher AUC than Baseline by 0\.\d{3} \(0\.\d{3} to 0\.\d{3}\) for Mass \(adjusted p = 0\.\d{3}\)\. The paper's finding, "higher", holds in this data\.$/,
    );
    expect(of('Hernia').sentence).toMatch(/^No difference detected in AUC between CheXNet and Baseline for Hernia: no positive image\./);
    expect(auc!.mean.sentence).toContain('for the mean over the findings');
  });

  it('carries DeLong beside the bootstrap, both adjusted', () => {
    const mass = FINDINGS.indexOf('Mass');
    const { aucA, p } = pairedDelong(cases[mass]!.scoresA, cases[mass]!.scoresB, cases[mass]!.labels);
    expect(of('Mass').delong).toMatchObject({ aucA, p });
    expect(of('Mass').delong.adjustedP).toBeGreaterThan(p!);
    expect(of('Mass').bootstrap.adjustedP).toBeGreaterThan(of('Mass').bootstrap.p!);
  });

  it.each([1, 9, 10])('has verdicts from ten images of a class on: %i', (positives) => {
    const rare = { ...truth, labels: { ...truth.labels, Mass: images.map((_, i) => (i < positives ? 1 : 0)) } };
    const first = (scores: ScoreTable, value: number): ScoreTable => {
      return { images, scores: { ...scores.scores, Mass: Array.from(scores.scores.Mass!, (own, i) => (i < positives ? value : own)) } };
    };
    const [a, b] = [first(chexnet.scores!, 9), first(other.scores!, -9)];
    const { findings, mean } = compareRuns({ a: { ...chexnet, scores: a }, b: { ...other, scores: b }, truth: rare }).auc!;
    const mass = findings.find(({ finding }) => finding === 'Mass')!;
    expect(mass.bootstrap.difference).toBe(1);
    if (positives === 10) return expect([mass.bootstrap.direction, mean.bootstrap.direction]).toEqual(['higher', 'higher']);
    const untested = { interval: null, p: null, adjustedP: null, reason: 'few cases', direction: 'no difference detected' };
    expect(mass.bootstrap).toMatchObject(untested);
    expect(mean.bootstrap).toMatchObject(untested);
    expect(mass.delong).toMatchObject({ difference: 1, ci: null, p: null, adjustedP: null, reason: 'few cases' });
    expect(mass.sentence).toMatch(/^No difference detected in AUC between CheXNet and Baseline for Mass: few cases\./);
    // Holm counts the others alone
    expect(Math.min(...findings.map(({ bootstrap: { adjustedP } }) => adjustedP ?? 1))).toBeCloseTo((12 * 2) / 20_001, 12);
  });

  it('says the same beside a third run, and of the images that are shared alone', () => {
    const third = run('Robust', 'robust', { images: images.slice(0, 500), scores: table((j) => cases[j]!.scoresB.slice(0, 500)) });
    const compared = compareRuns({ a: chexnet, b: third, truth }).auc!;
    expect(compared.images).toBe(500);
    expect(compareRuns({ a: chexnet, b: other, truth }).auc).toEqual(auc);
    const anew = { ...chexnet, scores: { ...chexnet.scores! } };
    expect(compareRuns({ a: anew, b: other, truth }).auc).toEqual(auc);
    expect(compareRuns({ a: anew, b: third, truth }).auc).toEqual(compared);
  });

  it('pairs by image name, on the images that both scored', () => {
    const shuffled = images.toReversed().slice(0, 600);
    const scores = table((j) =>
      Array.from(chexnet.scores!.scores[FINDINGS[j]!]! as Float64Array)
        .reverse()
        .slice(0, 600),
    );
    const partial = compareRuns({ a: run('CheXNet', 'chexnet', { images: shuffled, scores }), b: other, truth }).auc!;
    expect(partial.images).toBe(600);
    const tail = (values: ArrayLike<number>) => Array.from(values).slice(200);
    const expected = pairedDelong(tail(cases[4]!.scoresA), tail(cases[4]!.scoresB), tail(cases[4]!.labels));
    expect(partial.findings[4]!.delong).toMatchObject({ aucA: expected.aucA, difference: expected.difference, p: expected.p });
  });

  it('refuses tables that do not fit', () => {
    const broken = (change: Partial<ScoreTable>) => ({ ...chexnet, scores: { ...chexnet.scores!, ...change } });
    expect(() => compareRuns({ a: broken({ images: ['x.png'], scores: {} }), b: other, truth })).toThrow(
      'no test image was scored by both',
    );
    expect(() => compareRuns({ a: broken({ images: images.map(() => '0.png') }), b: other, truth })).toThrow('an image is listed twice');
    expect(() => compareRuns({ a: broken({ images: images.slice(1) }), b: other, truth })).toThrow(
      '800 values of Atelectasis for 799 images',
    );
  });
});
