import { describe, expect, it } from 'vitest';
import { referenceColour, runLabels, runRanks } from '../../lib/methods.ts';
import { aucGroups, aucSheet, forestRows, leftOut, meanText } from './auc.ts';
import { curveGroups, curveSeries, curveSheet, hasSizes, pairs, readout, thresholds } from './curves.ts';
import type { Comparison, Curve } from './queries.ts';
import { notComparable, pairVerdicts } from './verdicts.ts';

const BASELINE = { name: 'BASELINE', label: 'Baseline', note: null } as const;
const ROBUST = { name: 'ROBUST', label: 'Robust', note: null } as const;
const GENERATIVE = { name: 'GENERATIVE', label: 'Generative', note: 'Our addition.' } as const;
const SUPERVISED = { name: 'SUPERVISED', label: 'Supervised', note: null } as const;

const curve = (kind: Curve['kind'], label: string, accuracy: number | null): Curve => ({
  kind,
  label,
  pairs: 18,
  threshold: null,
  meanIou: 0.2,
  reason: null,
  source: null,
  points: [0.1, 0.3].map((iouThreshold) => ({ iouThreshold, accuracy, low: 0.1, high: 0.4, sd: null, falsePositives: null, iobb: null })),
});

type Method = Comparison['runs'][number]['run']['method'];

const run = (id: string, method: Method) => ({ id, name: `${id}-name`, seed: 0, method });

const comparison = (finding: 'Mass' | 'Nodule', verdict: Comparison['differences'][number]['verdict']): Comparison => ({
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
  apart: [],
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

  it('of controls say of maps of which size, where there are several', () => {
    const sized = {
      ...one,
      controls: [curve('RANDOM', 'Random map, 12 x 12 maps', 0), curve('BEST_REACHABLE', 'Best reachable, 3 x 3 maps', 1)],
    };
    expect(
      curveSeries(sized)
        .slice(0, 2)
        .map(({ label }) => label),
    ).toEqual(['random 12²', 'reachable 3²']);
    expect([hasSizes(one), hasSizes(sized)]).toEqual([false, true]);
  });

  it('are read at the crosshair in words', () => {
    expect(readout(curveSeries(one), 0.3).map(({ text }) => text)).toEqual(['Baseline 0.25 (0.10 to 0.40)', 'Robust no curve']);
    expect(thresholds([one])).toEqual([0.1, 0.3]);
    expect(pairs(one)).toBe(18);
  });

  it('are a table with one row a point', () => {
    const { rows } = curveSheet([one, comparison('Nodule', 'LOWER')]);
    expect(rows).toHaveLength(2 * 5 * 2);
    expect(rows[0]).toEqual(['Mass', 'paper', 'Baseline', 18, 0.1, 0.25, 0.1, 0.4, null]);
  });

  it('are a table with what a protocol that makes boxes counts beside the accuracy', () => {
    const own = curve('RUN', 'b', 0.25);
    own.points[0] = { ...own.points[0]!, falsePositives: 1.5, iobb: { accuracy: 0.75, low: 0.6, high: 0.9, falsePositives: 0.5 } };
    const { columns, rows } = curveSheet([{ ...one, runs: [{ ...one.runs[0]!, curve: own }] }]);
    const counted = ['False positives per image', 'Accuracy by IoBB', 'IoBB 95 % from', 'IoBB 95 % to', 'False positives by IoBB'];
    expect(columns.slice(-5)).toEqual(counted);
    expect(rows[0]!.slice(-5)).toEqual([1.5, 0.75, 0.6, 0.9, 0.5]);
    expect(rows[1]!.slice(-5)).toEqual([null, null, null, null, null]);
  });

  it('of two protocols, and of a method that is no part of the paper, are never in one group', () => {
    const patches = { name: 'patches', description: '' };
    const apart = (method: Method, protocol: typeof patches, reason: string) => {
      const own = { run: run(method.name, method), curve: curve('RUN', 'r', 0.9) };
      return { reason, protocol, runs: [own], controls: [curve('RANDOM', 'Random map', 0.1)] };
    };
    const own = { name: 'paper', description: '' };
    const sets = [apart(GENERATIVE, own, 'Our addition.'), apart(SUPERVISED, patches, 'Another protocol.')];
    const comparisons = [
      { ...one, apart: sets },
      { ...comparison('Nodule', 'LOWER'), apart: [sets[1]!] },
    ];
    const groups = curveGroups(comparisons);
    const labels = groups.map(({ protocol, reason, curves }) => [
      protocol.name,
      reason,
      curves.map((set) => set.runs.map((each) => each.run.method.label)),
    ]);
    expect(labels).toEqual([
      [
        'paper',
        null,
        [
          ['Baseline', 'Robust'],
          ['Baseline', 'Robust'],
        ],
      ],
      ['paper', 'Our addition.', [['Generative']]],
      ['patches', 'Another protocol.', [['Supervised'], ['Supervised']]],
    ]);
    const none = { ...one, runs: one.runs.map((each) => ({ ...each, curve: null })) };
    expect(curveGroups([{ ...none, apart: sets }]).map(({ reason }) => reason)).toEqual(['Our addition.', 'Another protocol.']);
  });
});

describe('verdicts', () => {
  it('gather the findings of each pair of runs', () => {
    const [pair] = pairVerdicts([comparison('Mass', 'HIGHER'), comparison('Nodule', 'UNDECIDED')]);
    expect(pair).toMatchObject({ run: 'Robust', over: 'Baseline', lower: [] });
    expect(pair?.higher.map(({ label }) => label)).toEqual(['Mass']);
    expect(pair?.undecided.map(({ statement }) => statement)).toEqual(['Nodule!']);
    const apart = [comparison('Mass', 'NOT_COMPARABLE'), comparison('Nodule', 'NOT_COMPARABLE')];
    expect([pairVerdicts(apart), notComparable(apart)]).toEqual([[], ['Robust over Baseline']]);
  });
});

describe('AUC', () => {
  it('stands beside published values, and none stays none', () => {
    const [row] = forestRows([comparison('Mass', 'HIGHER')]);
    expect(row?.items.map(({ value }) => value)).toEqual([0.7, null]);
    expect(row?.published).toEqual([{ label: 'CheXNet (own split)', colour: referenceColour('CheXNet'), value: 0.8 }]);
    expect(aucSheet([comparison('Mass', 'HIGHER')]).rows[0]).toEqual(['Mass', 20, 400, 0.7, 0.6, 0.8, null, null, null]);
  });

  it('of few cases has its value and the reason everywhere, and so has the mean', () => {
    const mass = comparison('Mass', 'HIGHER');
    const evaluation = { id: 'e', meanAuc: 0.81, meanAucLow: null, meanAucHigh: null, excludedPatients: 0 };
    const auc = { auc: 1, low: null, high: null, positives: 1, negatives: 299, reason: 'few cases' };
    const few = [{ ...mass, runs: [{ ...mass.runs[0]!, evaluation, auc }] }];
    expect(forestRows(few)[0]!.items[0]).toMatchObject({ value: 1, low: null, high: null, reason: 'few cases' });
    const { columns, rows } = aucSheet(few);
    expect(columns.slice(3)).toEqual(['Baseline AUC', 'Baseline from', 'Baseline to', 'Baseline reason']);
    expect(rows[0]).toEqual(['Mass', 1, 299, 1, null, null, 'few cases']);
    expect(meanText(few, 0)).toBe('mean AUC 0.810 (few cases)');
    expect(meanText([{ ...mass, runs: [{ ...mass.runs[0]!, evaluation: { ...evaluation, meanAucLow: 0.7, meanAucHigh: 0.9 } }] }], 0)).toBe(
      'mean AUC 0.810 (0.700 to 0.900)',
    );
  });
});

describe('AUC of runs that differ in what they are', () => {
  const one = comparison('Mass', 'HIGHER');
  const generative = { ...one.runs[0]!, run: run('g', GENERATIVE) };

  it('stands apart for a method that is no part of the paper', () => {
    const groups = aucGroups([{ ...one, runs: [generative, ...one.runs] }]);
    expect(
      groups.map(({ note, comparisons }) => [note, comparisons[0]!.runs.map((each) => each.run.id), comparisons[0]!.publishedAuc.length]),
    ).toEqual([
      [null, ['b', 'r'], 1],
      ['Our addition.', ['g'], 0],
    ]);
  });

  it('says whose scoring left patients out', () => {
    expect(leftOut(one)).toBeNull();
    const evaluation = { id: 'e', meanAuc: 0.8, meanAucLow: 0.7, meanAucHigh: 0.9, excludedPatients: 8 };
    const supervised = { ...one.runs[0]!, run: run('s', SUPERVISED), evaluation };
    expect(leftOut({ runs: [supervised] })).toBe('Supervised: 8 patients of the test split not scored, it had trained on them.');
  });
});

describe('runs', () => {
  it('are called by their method, and by their name where a method comes twice', () => {
    const runs = [run('a', BASELINE), run('b', BASELINE), run('c', ROBUST)];
    expect([...runLabels(runs).values()]).toEqual(['a-name', 'b-name', 'Robust']);
    expect([...runRanks(runs).values()]).toEqual([0, 1, 0]);
  });
});
