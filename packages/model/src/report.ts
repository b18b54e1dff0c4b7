import path from 'node:path';
import { type ReportRun, renderReport } from '@cxr-lens/eval';
import type { Evaluation } from './evaluate.ts';
import { writeAtomic } from './run-folder.ts';
import { METHODS, trainCommand } from './spec/index.ts';

/**
 * One report of runs that were evaluated together on one data set, tables and figures, written into the evaluation folder of each.
 * Returns its Markdown. Two runs of one method are told apart by their names.
 */
export function writeReport(evaluations: readonly Evaluation[]): string {
  const first = evaluations[0]!;
  const { data, seed, resamples, codeVersion } = first.auc;
  const { markdown, figures } = renderReport({
    title: `Evaluation on ${data.name}`,
    dataSet: { ...data, images: first.auc.images },
    runs: evaluations.map((evaluation) => reportRun(evaluation, labelOf(evaluation, evaluations))),
    controls: first.localization.controls,
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
    for (const [name, svg] of Object.entries(figures)) writeAtomic(path.join(folder, name), svg);
  }
  return markdown;
}

function labelOf({ run }: Evaluation, all: readonly Evaluation[]): string {
  const { label } = METHODS[run.method];
  return all.filter((other) => other.run.method === run.method).length > 1 ? `${label} (${run.name})` : label;
}

function reportRun({ run, auc, localization }: Evaluation, label: string): ReportRun {
  return {
    label,
    method: run.method,
    auc: auc.findings,
    meanAuc: auc.mean.auc,
    meanAucInterval: auc.mean.bootstrap,
    localization: localization.run,
  };
}
