import path from 'node:path';
import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { readRun } from '@cxr-lens/model/run-folder';
import { type AucFile, earliestEnd, type LocalizationFile, METHOD_NAMES, METHODS } from '@cxr-lens/model/spec';
import { z } from 'zod';
import { describe, thisMachine } from '../../bench/machine.ts';
import { cxrLensJson } from '../cli.ts';
import { located, readEvaluation } from './measured.ts';

/** The demo's runs, in the order of the tables. */
const RUNS = ['demo-baseline', 'demo-robust', 'demo-chexnet', 'demo-nih-star'];
const EVALUATION = 'phantom-96';
/** The T(IoU) of the table of localisation. */
export const TABLE_T = 0.3;

/** A value with its 95 % interval over patients; `interval` is null where there is none, and `reason` may say why. */
const MeasuredSchema = z.object({
  value: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  reason: z.string().nullable(),
});

const RunResultSchema = z.object({
  id: z.string(),
  method: z.enum(METHOD_NAMES),
  label: z.string(),
  precision: z.string(),
  seed: z.int(),
  epochs: z.int(),
  bestEpoch: z.int(),
  /** By what its training ended. */
  end: z.enum(['cap', 'stop rule']),
  /** Of its epochs. */
  seconds: z.number(),
  weightsSha256: z.string(),
  auc: z.partialRecord(z.enum(FINDINGS), MeasuredSchema),
  meanAuc: MeasuredSchema,
  /** Findings whose AUC has a lower bound over 0.5. */
  learned: z.int(),
  /** Localisation accuracy at T(IoU) = 0.3. */
  located: z.partialRecord(z.enum(BOXED_FINDINGS), MeasuredSchema),
  /** The same at T(IoU) = 0.1, mean over the boxed findings, of the run and of the controls by its protocol. */
  locatedMean: z.object({ run: z.number(), centre: z.number(), random: z.number(), bestReachable: z.number() }),
});

const VerdictSchema = z.enum(['higher', 'lower', 'no difference detected']);

/** One run beside the first: what a verdict says, finding by finding, of the mean over T(IoU). */
const ComparedSchema = z.object({
  a: z.string(),
  b: z.string(),
  findings: z.array(
    z.object({
      finding: z.enum(BOXED_FINDINGS),
      verdict: VerdictSchema,
      difference: z.number().nullable(),
      interval: z.tuple([z.number(), z.number()]).nullable(),
    }),
  ),
});

/** docs/results/demo.json */
export const ResultsSchema = z.object({
  format: z.literal(1),
  /** Version and commit of the code that trained and measured. */
  code: z.string(),
  machine: z.string(),
  data: z.object({
    name: z.string(),
    size: z.int(),
    images: z.object({ train: z.int(), validation: z.int(), test: z.int() }),
    datasetHash: z.string(),
  }),
  /** Of the evaluation: folds, bootstrap, controls. */
  seed: z.int(),
  runs: z.array(RunResultSchema).min(2),
  /** At T(IoU) = 0.3, of the first run's grid and protocol. */
  controls: z.object({
    centre: z.partialRecord(z.enum(BOXED_FINDINGS), z.number().nullable()),
    random: z.partialRecord(z.enum(BOXED_FINDINGS), z.number().nullable()),
  }),
  comparisons: z.array(ComparedSchema),
});

export type Results = z.infer<typeof ResultsSchema>;
export type RunResult = Results['runs'][number];
export type MeasuredValue = z.infer<typeof MeasuredSchema>;

/** What the demo in `home` has measured. Error where a run is missing, or where the runs are of different code. */
export async function readResults(home: string): Promise<Results> {
  const folders = RUNS.map((id) => path.join(home, 'runs', id));
  const found = folders.map((folder) => ({ run: readRun(folder), ...readEvaluation(path.join(folder, 'evaluation', EVALUATION)) }));
  const codes = new Set(found.flatMap(({ run, auc }) => [run.codeVersion, auc.codeVersion]));
  if (codes.size > 1) {
    throw new Error(
      `the runs in ${home} are of different code (${[...codes].join(', ')}): take its runs/demo-* away and run the demo again`,
    );
  }
  const [first] = found;
  const { name, size, images, datasetHash } = first!.auc.data;
  return ResultsSchema.parse({
    format: 1,
    code: first!.run.codeVersion,
    machine: describe(thisMachine()),
    data: { name, size, images, datasetHash },
    seed: first!.auc.seed,
    runs: found.map(runResult),
    controls: { centre: atT(first!.localization.controls.centre), random: atT(first!.localization.controls.random) },
    comparisons: await compared(folders),
  });
}

type Found = { run: ReturnType<typeof readRun>; auc: AucFile; localization: LocalizationFile };

function runResult({ run, auc, localization }: Found): RunResult {
  const aucs = Object.entries(auc.findings).map(([finding, row]) => [finding, measured(row.auc, row.bootstrap, row.reason)]);
  const curves = Object.entries(localization.run.findings);
  const places = curves.map(([finding, { points, reason }]) => {
    const point = points.find(({ iouThreshold }) => iouThreshold === TABLE_T);
    const interval = point && point.low !== null && point.high !== null ? ([point.low, point.high] as const) : null;
    return [finding, measured(point?.accuracy ?? null, interval, reason)];
  });
  const { centre, random, bestReachable } = localization.controls;
  return {
    id: run.id,
    method: run.method,
    label: METHODS[run.method].label,
    precision: run.options.precision,
    seed: run.seed,
    epochs: run.epochs.length,
    bestEpoch: run.bestEpoch!,
    end: earliestEnd(run).by,
    seconds: Math.round(run.epochs.reduce((sum, { seconds }) => sum + seconds, 0)),
    weightsSha256: auc.weightsSha256,
    auc: Object.fromEntries(aucs),
    meanAuc: measured(auc.mean.auc, auc.mean.bootstrap, auc.mean.reason),
    learned: Object.values(auc.findings).filter(({ bootstrap }) => bootstrap !== null && bootstrap[0] > 0.5).length,
    located: Object.fromEntries(places),
    locatedMean: {
      run: located(localization.run),
      centre: located(centre),
      random: located(random),
      bestReachable: located(bestReachable),
    },
  };
}

function measured(value: number | null, interval: readonly [number, number] | null, reason?: string | null): MeasuredValue {
  return { value, interval: interval && [...interval], reason: reason ?? null };
}

function atT({ findings }: LocalizationFile['run']): Record<string, number | null> {
  const values = Object.entries(findings).map(([finding, { points }]) => {
    return [finding, points.find(({ iouThreshold }) => iouThreshold === TABLE_T)?.accuracy ?? null];
  });
  return Object.fromEntries(values);
}

/** Of `compare --json`, what the words need. */
const CompareSchema = z.object({
  comparisons: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      localization: z.array(
        z.object({
          finding: z.enum(BOXED_FINDINGS),
          mean: z.object({
            direction: VerdictSchema,
            difference: z.number().nullable(),
            interval: z.tuple([z.number(), z.number()]).nullable(),
          }),
        }),
      ),
    }),
  ),
});

async function compared(folders: readonly string[]): Promise<Results['comparisons']> {
  const { comparisons } = CompareSchema.parse(await cxrLensJson(['compare', ...folders, '--data', EVALUATION, '--json']));
  return comparisons.map(({ a, b, localization }) => ({
    a,
    b,
    findings: localization.map(({ finding, mean: { direction, difference, interval } }) => ({
      finding,
      verdict: direction,
      difference,
      interval,
    })),
  }));
}
