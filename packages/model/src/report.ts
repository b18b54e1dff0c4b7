import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type OnProgress, renderSvg, throwIfCancelled } from '@cxr-lens/data';
import { type Report, type ReportControls, type ReportInput, type ReportRun, renderReport } from '@cxr-lens/eval';
import type { Evaluation } from './evaluate.ts';
import { completeFolds, poolControls, poolLabel } from './pool-folds.ts';
import { type Pictures, reportPictures } from './report/pictures.ts';
import { writeAtomic } from './run-folder.ts';
import { explodedNote, type LocalizationFile, labelOf, METHODS, type Run, trainCommand, variantOf } from './spec/index.ts';

export interface ReportRequest {
  /** The prepared file that the runs were evaluated on. */
  data: string;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
  /** Called before the first file is written; what it throws stops the report. */
  beforeWrite?: (() => Promise<void>) | undefined;
}

/**
 * One report of runs that were evaluated together on one data set: Fig. 2 and 3, Fig. 1 and 4 with CAM and saliency of the runs on images
 * chosen by rule (SVG, and a PNG beside each), and tables (CSV), written into the evaluation folder of each. Returns its Markdown. Two
 * runs of one method are told apart by their names.
 * CxrError CANCELLED, UNAVAILABLE, and those of `loadRun` and `openPrepared`.
 */
export async function writeReport(evaluations: readonly Evaluation[], request: ReportRequest): Promise<string> {
  const { onProgress, signal, beforeWrite } = request;
  const report = composed(evaluations, await reportPictures(evaluations, request), onProgress);
  const figures = Object.entries(report.figures);
  const pngs: Record<string, Uint8Array> = {};
  for (const [index, [name, svg]] of figures.entries()) {
    throwIfCancelled(signal, 'Drawing the figures');
    pngs[`${path.parse(name).name}.png`] = await renderSvg(svg);
    onProgress?.({ what: 'Drawing the figures', done: index + 1, total: figures.length });
  }
  await beforeWrite?.();
  return write(evaluations, report, pngs);
}

function composed(evaluations: readonly Evaluation[], pictures: Pictures, onProgress?: OnProgress): Report {
  const first = evaluations[0]!;
  const { data, seed, resamples, codeVersion } = first.auc;
  const runs = evaluations.map(({ run }) => run);
  const folds = completeFolds(evaluations);
  // a run that trained on some of the test images was not scored on them: the widest knows all that any was scored on
  const widest = evaluations.reduce((most, one) => (one.auc.images > most.auc.images ? one : most), first);
  const input: ReportInput = {
    title: `Evaluation on ${data.name}`,
    dataSet: { ...data, images: widest.auc.images },
    runs: evaluations.map((evaluation) => reportRun(evaluation, { runs, folds })),
    controls: controlsOf(evaluations, folds),
    truth: widest.truth,
    ...pictures,
    warnings: runs.flatMap((run) => {
      const exploded = explodedNote(run);
      return exploded === null ? [] : [`${labelOf(run, runs)}: ${exploded}`];
    }),
    resamples,
    commands: [
      ...runs.map(trainCommand),
      `cxr-lens evaluate ${runs.map(({ id }) => id).join(' ')} --data FILE --seed ${seed} --resamples ${resamples}`,
    ],
    details: {
      'Code version': codeVersion,
      Engine: first.run.engine,
      Weights: evaluations.map(({ run, auc }) => `${labelOf(run, runs)} ${auc.weightsSha256.slice(0, 12)}`).join(', '),
    },
  };
  return renderReport(input, onProgress);
}

/** What a report leaves in a folder; a later one of other runs may have fewer figures. */
const REPORT_FILE = /^(auc|localization|comparison|explanations|epsilons)(-[\w-]+)?\.(svg|png|csv)$/;

function write(evaluations: readonly Evaluation[], { markdown, figures, tables }: Report, pngs: Record<string, Uint8Array>): string {
  const files = { ...figures, ...pngs, ...tables };
  for (const { folder } of evaluations) {
    for (const [name, content] of Object.entries(files)) writeAtomic(path.join(folder, name), content);
    for (const name of readdirSync(folder)) {
      if (REPORT_FILE.test(name) && !(name in files)) rmSync(path.join(folder, name), { force: true });
    }
    // last: it names the others
    writeAtomic(path.join(folder, 'report.md'), markdown);
  }
  return markdown;
}

function reportRun(evaluation: Evaluation, { runs, folds }: { runs: readonly Run[]; folds: readonly Evaluation[][] }): ReportRun {
  const { run, auc, localization, ious, scores } = evaluation;
  const variant = variantOf(run, runs);
  const own = folds.find((set) => set.includes(evaluation));
  const pool = own && poolLabel(own, { runs, folds });
  return {
    label: labelOf(run, runs),
    seed: run.seed,
    ...(variant ? { variant } : {}),
    ...(pool ? { pool } : {}),
    ious,
    scores,
    method: run.method,
    auc: auc.findings,
    meanAuc: auc.mean.auc,
    meanAucInterval: auc.mean.bootstrap,
    localization: localization.run,
    further: localization.others.map((other) => other.run),
  };
}

/**
 * Of every protocol and map size among the runs: what a map can reach depends on its grid; Generative's is the image. Five folds have
 * controls together, of the pairs of them all.
 */
function controlsOf(evaluations: readonly Evaluation[], folds: readonly Evaluation[][]): ReportControls[] {
  const found = new Map<string, ReportControls>();
  const add = (run: Run, controls: LocalizationFile['controls']): void => {
    const [height, width] = METHODS[run.method].loss === 'elbo' ? [run.inputSize, run.inputSize] : run.featureShape;
    const grid = `${height} x ${width}`;
    const key = `${controls.random.protocol.name}\n${grid}`;
    if (!found.has(key)) found.set(key, { ...controls, grid });
  };
  for (const five of folds) add(five[0]!.run, poolControls(five));
  for (const { run, localization } of evaluations) {
    for (const { controls } of [localization, ...localization.others]) add(run, controls);
  }
  return [...found.values()];
}
