import { existsSync } from 'node:fs';
import path from 'node:path';
import { resumed } from '../cli.ts';
import { experiment, must } from './experiment.ts';
import { located, mean, readEvaluation } from './measured.ts';

// npx tsx experiments/phantoms/shortcuts.ts --out FOLDER
// Two cores without a GPU, about 25 minutes; docs/paper.md holds what came out.

/** Findings that a sign, or the view, goes with where the dial stands at 1 (docs/phantom.md). */
const AFFECTED = [
  'Atelectasis',
  'Cardiomegaly',
  'Effusion',
  'Infiltration',
  'Pneumonia',
  'Pneumothorax',
  'Consolidation',
  'Edema',
  'Fibrosis',
] as const;

const CONTINUED = ['maxEpochs=4', 'patience=4'];
/** Baseline, and what goes on from it for as many epochs: Robust and its controls. */
const NETWORKS = [
  { name: 'baseline', label: 'Baseline', method: 'baseline', settings: ['maxEpochs=10', 'patience=10'] },
  { name: 'unperturbed', label: 'trained on, nothing perturbed', method: 'robust', settings: ['epsilon=0', ...CONTINUED] },
  { name: 'noise', label: 'Gaussian noise of the same size', method: 'robust', settings: ['perturbation=noise', ...CONTINUED] },
  {
    name: 'penalty',
    label: 'input-gradient penalty 0.05',
    method: 'robust',
    settings: ['perturbation=none', 'gradientPenalty=0.05', ...CONTINUED],
  },
  { name: 'robust', label: 'Robust', method: 'robust', settings: CONTINUED },
] as const;

const SEEDS = [0, 1];
/** Training and validation with all signs; test once without and once with them, the same patients. */
const TESTS = { without: 0, with: 1 } as const;
type Test = keyof typeof TESTS;

async function make(out: string): Promise<void> {
  const file = (test: Test): string => path.join(out, `${test}.cxr`);
  for (const test of Object.keys(TESTS) as Test[]) {
    if (existsSync(file(test))) continue;
    const folder = path.join(out, test);
    const drawing = ['--images', '2000', '--size', '192', '--seed', '3', '--prevalence', 'enriched'];
    await must(['phantom', folder, ...drawing, '--shortcuts', `train=1,val=1,test=${TESTS[test]}`]);
    await must(['prepare', folder, '--out', file(test), '--size', '96']);
  }
  for (const seed of SEEDS) {
    const runs = NETWORKS.map(({ name }) => path.join(out, 'runs', `${name}-${seed}`));
    for (const [index, { method, settings }] of NETWORKS.entries()) {
      const args = ['train', method, '--data', file('without'), '--out', runs[index]!, '--preset', 'small', '--seed', String(seed)];
      if (method === 'robust') args.push('--from', runs[0]!);
      await must(resumed([...args, ...settings.flatMap((setting) => ['--set', setting])]));
    }
    for (const test of Object.keys(TESTS) as Test[]) {
      if (runs.every((run) => existsSync(path.join(run, 'evaluation', test, 'report.md')))) continue;
      await must(['evaluate', ...runs, '--data', file(test)]);
    }
  }
}

/** AUC, mean over the affected findings or the others, and localisation accuracy. */
function measured(out: string, name: string, test: Test): { affected: number; others: number; located: number } {
  const { auc, localization } = readEvaluation(path.join(out, 'runs', name, 'evaluation', test));
  const aucs = Object.entries(auc.findings).map(([finding, row]) => ({ finding, auc: row.auc! }));
  const isAffected = ({ finding }: { finding: string }): boolean => AFFECTED.some((one) => one === finding);
  return {
    affected: mean(aucs.filter(isAffected).map((row) => row.auc)),
    others: mean(aucs.filter((row) => !isAffected(row)).map((row) => row.auc)),
    located: located(localization.run),
  };
}

/** The mean over the seeds, and every seed's own value. */
function cell(values: readonly number[]): string {
  return `${mean(values).toFixed(3)} (${values.map((value) => value.toFixed(3)).join(', ')})`;
}

function table(out: string): string {
  const rows = NETWORKS.map(({ name, label }) => {
    const of = (test: Test, what: 'affected' | 'others' | 'located'): number[] =>
      SEEDS.map((seed) => measured(out, `${name}-${seed}`, test)[what]);
    const [kept, lost] = [of('with', 'affected'), of('without', 'affected')];
    const drop = kept.map((value, index) => value - lost[index]!);
    return `| ${label} | ${cell(kept)} | ${cell(lost)} | ${cell(drop)} | ${cell(of('without', 'others'))} | ${cell(of('without', 'located'))} |`;
  });
  return [
    '| network | AUC of affected findings, with shortcuts | without | fall | AUC of the others, without | located at T 0.1, without |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

await experiment('shortcuts', { make, table });
