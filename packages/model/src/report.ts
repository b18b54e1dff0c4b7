import path from 'node:path';
import { type ReportControls, type ReportRun, renderReport } from '@cxr-lens/eval';
import type { Evaluation } from './evaluate.ts';
import { writeAtomic } from './run-folder.ts';
import { defaultOptions, METHODS, optionsOf, type Run, type TrainOptionName, trainCommand } from './spec/index.ts';

/**
 * One report of runs that were evaluated together on one data set, figures (SVG) and tables (CSV), written into the evaluation folder of each.
 * Returns its Markdown. Two runs of one method are told apart by their names.
 */
export function writeReport(evaluations: readonly Evaluation[]): string {
  const first = evaluations[0]!;
  const { data, seed, resamples, codeVersion } = first.auc;
  const { markdown, figures, tables } = renderReport({
    title: `Evaluation on ${data.name}`,
    dataSet: { ...data, images: first.auc.images },
    runs: evaluations.map((evaluation) => reportRun(evaluation, labelOf(evaluation, evaluations))),
    controls: controlsOf(evaluations),
    truth: first.truth,
    seed,
    resamples,
    commands: [
      ...evaluations.map(({ run }) => trainCommand(run)),
      `cxr-lens evaluate ${evaluations.map(({ run }) => run.id).join(' ')} --data FILE --seed ${seed} --resamples ${resamples}`,
    ],
    details: {
      'Code version': codeVersion,
      Engine: first.run.engine,
      Weights: evaluations
        .map((evaluation) => `${labelOf(evaluation, evaluations)} ${evaluation.auc.weightsSha256.slice(0, 12)}`)
        .join(', '),
    },
  });
  for (const { folder } of evaluations) {
    writeAtomic(path.join(folder, 'report.md'), markdown);
    for (const [name, text] of Object.entries({ ...figures, ...tables })) writeAtomic(path.join(folder, name), text);
  }
  return markdown;
}

function labelOf({ run }: Evaluation, all: readonly Evaluation[]): string {
  const nameOf = (one: Run): string => variantOf(one) ?? METHODS[one.method].label;
  return all.filter((other) => nameOf(other.run) === nameOf(run)).length > 1 ? `${nameOf(run)} (${run.name})` : nameOf(run);
}

function reportRun({ run, auc, localization, scores }: Evaluation, label: string): ReportRun {
  const variant = variantOf(run);
  return {
    label,
    seed: run.seed,
    ...(variant ? { variant } : {}),
    scores,
    method: run.method,
    auc: auc.findings,
    meanAuc: auc.mean.auc,
    meanAucInterval: auc.mean.bootstrap,
    localization: localization.run,
  };
}

/** Of every map size among the runs: what a map can reach depends on its grid. */
function controlsOf(evaluations: readonly Evaluation[]): ReportControls[] {
  const byGrid = new Map<string, ReportControls>();
  for (const { run, localization } of evaluations) {
    const grid = `${run.featureShape[0]} x ${run.featureShape[1]}`;
    if (!byGrid.has(grid)) byGrid.set(grid, { ...localization.controls, grid });
  }
  return [...byGrid.values()];
}

/** Options of how long and in which order a run trained: they make no other method of it. */
const SAME_METHOD: readonly TrainOptionName[] = [
  'seed',
  'learningRate',
  'momentum',
  'batchSize',
  'patience',
  'maxEpochs',
  'runningMomentum',
  'checkpointSeconds',
];

/** "Robust, epsilon 0.02"; null for a run of the method as it is. */
function variantOf({ method, options }: Run): string | null {
  const defaults = defaultOptions(method);
  const changed = optionsOf(method, options).filter((name) => !SAME_METHOD.includes(name) && options[name] !== defaults[name]);
  if (changed.length === 0) return null;
  return [METHODS[method].label, ...changed.map((name) => `${name} ${options[name]}`)].join(', ');
}
