import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { auc, meanAuc } from '../auc/auc.ts';
import type { ScoreTable, Truth } from '../compare/types.ts';
import { localizationControls, nihControls, patchControls } from '../localization/controls.ts';
import { patientParts } from '../localization/folds.ts';
import { localization, pairIous } from '../localization/localization.ts';
import { nihLocalization } from '../localization/nih.ts';
import { patchIous, patchLocalization } from '../localization/patches.ts';
import type { IouTable, LocalizationPair, LocalizationResult } from '../localization/types.ts';
import { boxCase, iouTable, noiseMap, pairCase, uniform } from '../testing.ts';
import { renderReport } from './report.ts';
import type { Report, ReportInput, ReportRun } from './types.ts';

const OPTIONS = { seed: 0, resamples: 0 };

/** 20 pairs a finding, maps that know the box by `lift`. */
function pairs(lift: number, size = 7): LocalizationPair[] {
  return BOXED_FINDINGS.flatMap((finding, j) =>
    Array.from({ length: 20 }, (_, i) => {
      const box = boxCase(100 * j + i);
      const map = noiseMap(j * 100 + i, { size, box, lift }).map((value) => value / (1 + lift));
      return { image: `${i}.png`, patientId: String(i), finding, box, map, height: size, width: size };
    }),
  );
}

const N = 120;
const IMAGES = Array.from({ length: N }, (_, i) => `${i}.png`);
const LABELS = FINDINGS.map((_, j) => pairCase({ seed: j, n: N, levels: 0, prevalence: 0.3, share: 1 }).labels);
const TRUTH: Truth = {
  images: IMAGES,
  patientIds: IMAGES,
  labels: Object.fromEntries(FINDINGS.map((finding, j) => [finding, LABELS[j]!])),
};

interface Measured {
  result: LocalizationResult;
  ious: IouTable;
}

function run(label: string, method: string, { result, ious }: Measured, more: Partial<ReportRun> & { skill?: number } = {}): ReportRun {
  const { skill = 0.3, ...rest } = more;
  const scores: ScoreTable = {
    images: IMAGES,
    scores: Object.fromEntries(
      FINDINGS.map((finding, j) => [finding, Float64Array.from(LABELS[j]!, (y, i) => uniform(label.length, i) + skill * y)]),
    ),
  };
  const table = Object.fromEntries(FINDINGS.map((finding, j) => [finding, auc(scores.scores[finding]!, LABELS[j]!)]));
  return { label, method, auc: table, meanAuc: meanAuc(Object.values(table)), localization: result, ious, scores, ...rest };
}

const parts = patientParts(
  pairs(0).map(({ patientId }) => patientId),
  0,
);
const measured = (lift: number): Measured => {
  return { result: localization(pairs(lift), OPTIONS), ious: iouTable(pairs(lift).map(pairIous)) };
};
const input: ReportInput = {
  title: 'Every method',
  dataSet: { name: 'phantom', synthetic: true, images: N },
  runs: [
    run('Generative', 'generative', measured(0.1)),
    run('Baseline, seed 0', 'baseline', measured(0.3), { seed: 0 }),
    run('Baseline, seed 1', 'baseline', measured(0.35), { seed: 1 }),
    run('Robust, seed 1', 'robust', measured(1), { seed: 1 }),
    run('Robust, seed 0', 'robust', measured(0.9), { seed: 0 }),
    run('Robust, epsilon 0.02', 'robust', measured(2), { seed: 0, variant: 'Robust, epsilon 0.02' }),
    run('CheXNet', 'chexnet', measured(0.05), { skill: 1, seed: 1 }),
    run('NIH', 'nih', measured(0.4), { further: [nihLocalization(pairs(0.4), OPTIONS)] }),
    ...[0, 1, 2, 3, 4].map((fold) => {
      const own = pairs(1, 20).filter(({ patientId }) => parts.get(patientId) === fold);
      const patches = { result: patchLocalization(own, OPTIONS), ious: iouTable(patchIous(own), pairs(0)) };
      return run(`Supervised, fold ${fold + 1}`, 'supervised', patches, { pool: 'Supervised, five networks' });
    }),
  ],
  controls: [
    { ...localizationControls(pairs(0, 28), OPTIONS), grid: '28 x 28' },
    { ...localizationControls(pairs(0), OPTIONS), grid: '7 x 7' },
    nihControls(pairs(0), OPTIONS),
    patchControls(pairs(0, 20), OPTIONS),
  ],
  truth: TRUTH,
  resamples: 700,
  commands: [],
};

let report: Report;
beforeAll(() => {
  report = renderReport(input);
});

/** Rows of a CSV without quoted line ends, as objects. */
function rowsOf(csv: string): Record<string, string>[] {
  const [header, ...lines] = csv.trim().split('\n');
  const cells = (line: string) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) => match[1] ?? match[2]!);
  return lines.map((line) => Object.fromEntries(cells(line).map((value, index) => [cells(header!)[index]!, value])));
}

describe('a report of every method', () => {
  it('draws every protocol and Generative apart', () => {
    expect(Object.keys(report.figures).sort()).toEqual([
      'auc-generative.svg',
      'auc.svg',
      'localization-generative.svg',
      'localization-nih.svg',
      'localization-patches.svg',
      'localization.svg',
    ]);
    const { figures } = report;
    expect(figures['localization.svg']).toContain('protocol paper');
    for (const apart of ['Supervised', 'Generative', 'Wang', '#56B4E9', '#7F7F7F'])
      expect(figures['localization.svg']).not.toContain(apart);
    expect(figures['localization-nih.svg']).toContain('Wang et al. 2017, nih');
    expect(figures['localization-nih.svg']).not.toContain('Baseline');
    expect(figures['localization-patches.svg']).toContain('Supervised, five networks');
    expect(figures['localization-generative.svg']).toContain('Generative, an addition to the paper');
    expect(figures['auc.svg']).not.toContain('Generative');
    for (const svg of Object.values(figures)) expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    for (const name of Object.keys(figures)) expect(report.markdown).toContain(`](${name})`);
  });

  it('gives seeds of a method one label, their mean a thick line and each a thin one; a variant stands by itself in the same colour', () => {
    const svg = report.figures['localization.svg']!;
    const count = (pattern: RegExp) => svg.match(pattern)?.length ?? 0;
    for (const label of ['Baseline (2 runs)', 'Robust (2 runs)', 'Robust, epsilon 0.02']) {
      expect(svg.split(`>${label}</text>`)).toHaveLength(9); // in every panel
    }
    expect(count(/stroke="#D55E00" stroke-width="0.75"/g)).toBe(16);
    expect(count(/stroke="#D55E00" stroke-width="2"/g)).toBe(16);
    expect(svg).not.toContain('seed 0');
    expect(svg.split('best reachable, 7 x 7')).toHaveLength(9);
    expect(svg.split('>centre prior<')).toHaveLength(9);
  });

  it('compares runs of one seed with each other, and counts in how many the paper holds', () => {
    expect(report.markdown).toContain(
      '| pathology | Robust, seed 1 over Baseline, seed 1 | Robust, seed 0 over Baseline, seed 0 | the paper | holds in |',
    );
    expect(report.markdown).toMatch(/\| Cardiomegaly \|.*\| higher \| 2 of 2; does not hold in 0 \|/);
    expect(report.markdown).toContain('### CheXNet over Baseline (2 runs)');
    expect(report.markdown).toContain('CheXNet over Baseline, seed 1. Higher:');
    // a variant is compared, the paper says nothing of it
    const variant = /### Robust, epsilon 0\.02 over Baseline[\s\S]*?(?=###)/.exec(report.markdown)![0];
    expect(variant).toContain('Robust, epsilon 0.02 is higher than Baseline, seed 0');
    expect(variant).not.toContain('the paper');
  });

  it('judges what the paper says of CheXNet and of Supervised, naming both protocols', () => {
    expect(report.markdown).toMatch(
      /CheXNet has a higher AUC than Baseline, seed 1 by .* for the mean over the findings \(p < 0\.001\)\. The paper's finding, "higher", holds in this data\./,
    );
    const supervised = /### Supervised, five networks over Baseline[\s\S]*?(?=###)/.exec(report.markdown)![0];
    expect(supervised).toContain('Supervised, five networks is measured by protocol patches, Baseline, seed 0 by protocol paper');
    expect(supervised).toMatch(/for Nodule, .*The paper's finding, "lower", does not hold in this data\./);
    expect(supervised).toContain('AUC of Supervised, five networks: that of its first run alone, Supervised, fold 1.');
    expect(report.markdown).toContain('### CheXNet over Supervised, five networks');
    expect(report.markdown).not.toContain('### Generative over Robust');
  });

  it('prints false positives and IoBB under protocol nih', () => {
    expect(report.markdown).toContain('### False positives, and intersection over the detected box (IoBB)');
    expect(report.markdown).toMatch(/\| NIH \| Nodule \| \d+\.\d\d \|/);
  });

  it('has the numbers behind the figures as CSV', () => {
    const [aucs, curves, comparisons] = ['auc.csv', 'localization.csv', 'comparison.csv'].map((name) => rowsOf(report.tables[name]!));
    const mass = aucs!.find(({ run: label, finding }) => label === 'Robust, seed 0' && finding === 'Mass')!;
    expect(Number(mass['auc'])).toBe(input.runs[4]!.auc.Mass!.auc);
    expect(aucs!.filter(({ finding }) => finding === 'mean')).toHaveLength(13);
    const point = curves!.find(
      ({ run: label, finding, t_iou }) => label === 'Baseline, seed 1' && finding === 'Nodule' && t_iou === '0.3',
    )!;
    expect(Number(point['accuracy'])).toBe(input.runs[2]!.localization!.findings.Nodule.points[2]!.accuracy);
    expect(new Set(curves!.map(({ protocol }) => protocol))).toEqual(new Set(['paper', 'nih', 'patches']));
    expect(curves!.filter(({ run: label }) => label === 'Supervised, five networks')).toHaveLength(56);
    const nih = curves!.filter(({ protocol, kind }) => protocol === 'nih' && kind === 'run');
    expect(nih.every(({ false_positives, iobb_accuracy }) => false_positives !== '' && iobb_accuracy !== '')).toBe(true);
    expect(curves!.filter(({ kind, protocol }) => kind === 'published' && protocol !== 'nih')).toEqual([]);
    const row = comparisons!.find(
      ({ a, measure, finding }) => a === 'Robust, seed 0' && measure === 'accuracy, mean over T' && finding === 'Cardiomegaly',
    )!;
    expect([row['b'], row['the_paper'], row['in_this_data'], Number(row['holm_p']) >= Number(row['p'])]).toEqual([
      'Baseline, seed 0',
      'higher',
      'holds',
      true,
    ]);
  });

  it('shows published AUCs on the official split alone, those of other splits unranked', () => {
    expect(report.tables['auc.csv']).not.toContain('published');
    const official = renderReport({
      ...input,
      dataSet: { name: 'NIH', synthetic: false, images: 25_596 },
      runs: input.runs.slice(0, 2),
      controls: null,
      resamples: 0,
    });
    expect(official.markdown).toContain('published: CheXNet, another split');
    expect(official.markdown).toContain('not to be ranked with the others');
    expect(official.figures['auc.svg']).toContain('Wang et al. 2017, published');
    expect(official.figures['auc.svg']).not.toContain('CheXNet');
    expect(rowsOf(official.tables['auc.csv']!).filter(({ reason }) => reason === 'own split')).toHaveLength(30);
  });

  it('refuses pooled runs that share a pair', () => {
    const twice = [...input.runs, { ...input.runs.at(-1)!, label: 'again' }];
    expect(() => renderReport({ ...input, runs: twice })).toThrow(/two \w+ pairs of \d+\.png/);
  });

  it('takes a report of Generative alone', () => {
    const alone = renderReport({ ...input, runs: [input.runs[0]!], controls: null });
    expect(Object.keys(alone.figures).sort()).toEqual(['auc-generative.svg', 'localization-generative.svg']);
  });
});
