import { describe, expect, it } from 'vitest';
import { referenceColour, runLabels, runRanks } from '../../lib/methods.ts';
import { aucSheet, forestRows } from './auc.ts';
import { curveSeries, curveSheet, pairs, readout, thresholds } from './curves.ts';
import type { Comparison, Curve } from './queries.ts';
import { pairVerdicts } from './verdicts.ts';

const BASELINE = { name: 'BASELINE', label: 'Baseline' } as const;
const ROBUST = { name: 'ROBUST', label: 'Robust' } as const;

const curve = (kind: Curve['kind'], label: string, accuracy: number | null): Curve => ({
  kind,
  label,
  pairs: 18,
  threshold: null,
  meanIou: 0.2,
  reason: null,
  source: null,
  points: [0.1, 0.3].map((iouThreshold) => ({ iouThreshold, accuracy, low: 0.1, high: 0.4, sd: null })),
});

const run = (id: string, method: { name: 'BASELINE' | 'ROBUST'; label: string }) => ({ id, name: `${id}-name`, seed: 0, method });

const comparison = (finding: 'Mass' | 'Nodule', verdict: 'HIGHER' | 'LOWER' | 'UNDECIDED'): Comparison => ({
  finding: { name: finding, label: finding, boxed: true },
  protocol: { name: 'paper', description: '' },
  dataSet: null,
  statement: null,
  differences: [
    {
      run: { id: 'r' },
      over: { id: 'b' },
      iouThreshold: 0.3,
      value: 0.1,
      low: 0,
      high: 0.2,
      pairs: 18,
      paired: true,
      verdict,
      statement: `${finding}!`,
    },
  ],
  publishedAuc: [{ label: 'CheXNet', auc: 0.8, official: false, split: 'own split', source: '' }],
  runs: [
    {
      run: run('b', BASELINE),
      evaluation: null,
      auc: { auc: 0.7, low: 0.6, high: 0.8, positives: 20, negatives: 400, reason: null },
      curve: curve('RUN', 'b', 0.25),
    },
    { run: run('r', ROBUST), evaluation: null, auc: null, curve: curve('RUN', 'r', null) },
  ],
  controls: [curve('RANDOM', 'Random map', 0.05), curve('BEST_REACHABLE', 'Best reachable', 1)],
  references: [curve('REFERENCE', 'Wang et al. 2017', 0.3)],
});

describe('curves', () => {
  const one = comparison('Mass', 'HIGHER');

  it('are drawn controls first, references dashed, runs in their colour and by their method', () => {
    expect(curveSeries(one).map(({ label, kind }) => [label, kind])).toEqual([
      ['random', 'control'],
      ['reachable', 'control'],
      ['Wang 2017', 'reference'],
      ['Baseline', 'run'],
      ['Robust', 'run'],
    ]);
    expect(curveSeries(one).at(-1)?.colour).toContain('--method-robust');
  });

  it('are read at the crosshair in words', () => {
    expect(readout(curveSeries(one), 0.3).map(({ text }) => text)).toEqual(['Baseline 0.25 (0.10 to 0.40)', 'Robust no curve']);
    expect(thresholds([one])).toEqual([0.1, 0.3]);
    expect(pairs(one)).toBe(18);
  });

  it('are a table with one row a point', () => {
    const { rows } = curveSheet([one, comparison('Nodule', 'LOWER')]);
    expect(rows).toHaveLength(2 * 5 * 2);
    expect(rows[0]).toEqual(['Mass', 'Baseline', 18, 0.1, 0.25, 0.1, 0.4, null]);
  });
});

describe('verdicts', () => {
  it('gather the findings of each pair of runs', () => {
    const [pair] = pairVerdicts([comparison('Mass', 'HIGHER'), comparison('Nodule', 'UNDECIDED')]);
    expect(pair).toMatchObject({ run: 'Robust', over: 'Baseline', iouThreshold: 0.3, lower: [] });
    expect(pair?.higher.map(({ label }) => label)).toEqual(['Mass']);
    expect(pair?.undecided.map(({ statement }) => statement)).toEqual(['Nodule!']);
  });
});

describe('AUC', () => {
  it('stands beside published values, and none stays none', () => {
    const [row] = forestRows([comparison('Mass', 'HIGHER')]);
    expect(row?.items.map(({ value }) => value)).toEqual([0.7, null]);
    expect(row?.published).toEqual([{ label: 'CheXNet (own split)', colour: referenceColour('CheXNet'), value: 0.8 }]);
    expect(aucSheet([comparison('Mass', 'HIGHER')]).rows[0]).toEqual(['Mass', 20, 400, 0.7, 0.6, 0.8, null, null, null]);
  });
});

describe('runs', () => {
  it('are called by their method, and by their name where a method comes twice', () => {
    const runs = [run('a', BASELINE), run('b', BASELINE), run('c', ROBUST)];
    expect([...runLabels(runs).values()]).toEqual(['a-name', 'b-name', 'Robust']);
    expect([...runRanks(runs).values()]).toEqual([0, 1, 0]);
  });
});
