import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { resultsBlocks } from '../experiments/phantoms/results-blocks.ts';
import type { Results, RunResult } from '../experiments/phantoms/results-file.ts';

const run = (label: string, more: Partial<RunResult> = {}): RunResult => ({
  ...{ id: label, method: 'baseline', label, precision: 'bfloat16', seed: 0, epochs: 31, bestEpoch: 19, end: 'stop rule', seconds: 180 },
  ...{ weightsSha256: 'a', learned: 1, locatedMean: { run: 0.48, centre: 0.46, random: 0.23, bestReachable: 1 } },
  meanAuc: { value: 0.8371, interval: [0.82, 0.85], reason: null },
  auc: {
    Atelectasis: { value: 0.7, interval: [0.63, 0.77], reason: null },
    Hernia: { value: 0.61, interval: null, reason: 'few cases' },
    Edema: { value: null, interval: null, reason: 'no positives' },
  },
  located: { Nodule: { value: -0.001, interval: [0, 0.04], reason: null }, Mass: { value: 0.1, interval: null, reason: null } },
  ...more,
});

const RESULTS: Results = {
  format: 1,
  code: '0.1.0+abc1234',
  machine: 'A CPU, 2 cores',
  data: { name: 'phantom', size: 96, images: { train: 1346, validation: 154, test: 500 }, datasetHash: 'd' },
  seed: 0,
  runs: [run('Baseline'), run('CheXNet', { end: 'cap', epochs: 6, precision: 'float32' })],
  controls: { centre: { Nodule: 0.5, Mass: null }, random: { Nodule: 0 } },
  comparisons: [
    {
      ...{ a: 'CheXNet', b: 'Baseline' },
      findings: [
        { finding: 'Nodule', verdict: 'lower', difference: -0.05, interval: [-0.09, -0.02] },
        { finding: 'Cardiomegaly', verdict: 'higher', difference: 0.17, interval: [0.13, 0.21] },
        { finding: 'Mass', verdict: 'no difference detected', difference: 0.01, interval: [-0.01, 0.02] },
      ],
    },
  ],
};

const [readme, paper] = resultsBlocks(RESULTS).map(({ text }) => text.split('\n')) as [string[], string[]];
const row = (lines: readonly string[], name: string): string | undefined => lines.find((line) => line.startsWith(`| ${name} |`));

describe('the tables of the demo', () => {
  it('have values with intervals, the reason where there is none, and a dash where nothing was measured', () => {
    expect(row(readme, 'Atelectasis')).toBe('| Atelectasis | 0.70 (0.63 to 0.77) | 0.70 (0.63 to 0.77) |');
    expect(row(readme, 'Hernia')).toBe('| Hernia | 0.61 (few cases) | 0.61 (few cases) |');
    expect(row(readme, 'Edema')).toBe('| Edema | no positives | no positives |');
    expect(row(readme, 'Nodule')).toBe('| Nodule | – | – |');
    expect(readme.filter((line) => line.startsWith('| Nodule |'))[1]).toBe(
      '| Nodule | 0.00 (0.00 to 0.04) | 0.00 (0.00 to 0.04) | 0.50 | 0.00 |',
    );
    expect(readme.filter((line) => line.startsWith('| Mass |'))[1]).toBe('| Mass | 0.10 | 0.10 | – | – |');
  });

  it('say of which code, seed and CPU they are, and what ended each training', () => {
    expect(readme[0]).toBe('One seed (0; evaluation 0), one CPU (A CPU, 2 cores), code 0.1.0+abc1234.');
    expect(readme[1]).toContain('Baseline 31 epochs, by the stop rule, bfloat16; CheXNet 6 epochs, by its cap, float32.');
  });

  it('say what differs, with sizes and without signs', () => {
    expect(readme.at(-1)).toBe(
      'CheXNet against Baseline, localisation accuracy, mean over T(IoU): higher for Cardiomegaly by 0.17 (0.13 to 0.21); lower for Nodule by 0.05 (0.02 to 0.09); no difference detected for the other 1.',
    );
  });

  it('have a row a method beside its controls', () => {
    expect(paper.at(-2)).toBe('| Baseline | 500 | 0.84 (0.82 to 0.85) | 1 | paper | 0.48 | 0.46 | 0.23 | 1.00 |');
  });
});

it.each(['README.md', 'docs/paper.md'])('%s has the markers of its block', (file) => {
  const text = readFileSync(path.resolve(import.meta.dirname, '..', file), 'utf8');
  for (const block of resultsBlocks(RESULTS).filter((one) => one.file === file)) {
    expect(text.split(`<!-- results: ${block.name} -->`)).toHaveLength(2);
    expect(text.indexOf('<!-- results end -->')).toBeGreaterThan(text.indexOf(`<!-- results: ${block.name} -->`));
  }
});
