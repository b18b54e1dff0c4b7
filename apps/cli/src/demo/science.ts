import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { cpuFeatures } from '@cxr-lens/model/cpu';
import { readRun } from '@cxr-lens/model/run-folder';
import { earliestEnd, METHODS, type MethodName, type Run, secondsLeft, type TrainOptions } from '@cxr-lens/model/spec';
import type { DataSet, Job } from '@cxr-lens/prisma';
import type { Client } from './client.ts';
import { explainWhatCameBefore } from './explain.ts';
import { uploadExamples } from './studies.ts';

/** The demo's training data: small enough to be drawn in a minute. */
const PHANTOM = { name: 'phantom', drawnSize: 192, size: 96, seed: 1, prevalence: 'enriched' } as const;

const METHODS_SHOWN = ['baseline', 'robust', 'chexnet', 'nih-star'] as const satisfies MethodName[];
type DemoMethod = (typeof METHODS_SHOWN)[number];

/** How many phantoms, and after how many epochs a training ends, where the stop rule has not ended it before. */
interface DemoSize {
  images: number;
  caps: Partial<Record<DemoMethod, number>>;
}

const SIZES = {
  /** Every method learns on two cores. Baseline and Robust end by the stop rule; the others, for the demo's time, after so many epochs. */
  whole: { images: 2000, caps: { chexnet: 6, 'nih-star': 7 } },
  /** Nothing learns: for the test of starting, killing and going on. */
  small: { images: 600, caps: { baseline: 4, robust: 2, chexnet: 2, 'nih-star': 2 } },
} as const satisfies Record<string, DemoSize>;

export type DemoSizeName = keyof typeof SIZES;
export const DEMO_SIZES = Object.keys(SIZES) as DemoSizeName[];

export interface DemoPaths {
  phantom: string;
  prepared: string;
  /** The run folder of every method, in the order of training. */
  runs: Record<DemoMethod, string>;
}

/** Where the demo keeps what it makes, below CXR_HOME. */
export function demoPaths(home: string): DemoPaths {
  const { name, size } = PHANTOM;
  const runs = METHODS_SHOWN.map((method) => [method, path.join(home, 'runs', `demo-${method}`)]);
  return {
    phantom: path.join(home, 'data', name),
    prepared: path.join(home, 'data', `${name}-${size}.cxr`),
    runs: Object.fromEntries(runs) as DemoPaths['runs'],
  };
}

/** Where the CPU multiplies it itself: the trainings that last until the stop rule. */
const IN_BFLOAT16: readonly DemoMethod[] = ['baseline', 'robust'];

/** The options of a new run of the demo; one that was begun goes on with its own. */
function optionsOf(method: DemoMethod, folder: string, { caps }: DemoSize): Partial<TrainOptions> {
  if (existsSync(path.join(folder, 'run.json'))) return readRun(folder).options;
  const maxEpochs = caps[method];
  const fast = IN_BFLOAT16.includes(method) && cpuFeatures().bf16;
  return { ...(maxEpochs === undefined ? {} : { maxEpochs }), ...(fast ? { precision: 'bfloat16' } : {}) };
}

/** One step of the demo, done by jobs of its worker: skipped when its result stands, continued where an interruption left it. */
export interface Step {
  title: string;
  done: () => Promise<boolean>;
  /** The newest job that does it. */
  job: () => Promise<Job | null>;
  queue: () => Promise<Job>;
  /** How much is left of it at the earliest, or how it ended, in words; null where nothing is known. */
  says: () => string | null;
  /** Work that follows the step, even if the step was done before. The next step does not wait for it. */
  after: (signal: AbortSignal) => Promise<void>;
}

/** What the steps are made for. */
interface Plan {
  paths: DemoPaths;
  size: DemoSizeName;
  /** Where the pages are, once they are open. */
  address: Promise<string>;
}

const NEWEST = [{ createdAt: 'desc' }, { id: 'desc' }] as const;

function drawStep({ prisma, jobs }: Client, { paths, size, address }: Plan): Step {
  const phantom = { ...PHANTOM, images: SIZES[size].images };
  return {
    title: `Drawing ${phantom.images} synthetic radiographs`,
    done: async () => existsSync(paths.prepared) && (await dataSetOf({ prisma }, paths)) !== null,
    job: () => prisma.job.findFirst({ where: { kind: 'PHANTOM', input: { equals: phantom } }, orderBy: [...NEWEST] }),
    queue: () => jobs.enqueue('phantom', phantom),
    says: () => null,
    after: () => uploadExamples({ prisma }, paths, address),
  };
}

/** The newest row of the demo's prepared file. */
const dataSetOf = ({ prisma }: Pick<Client, 'prisma'>, { prepared }: DemoPaths): Promise<DataSet | null> =>
  prisma.dataSet.findFirst({ where: { path: prepared }, orderBy: [...NEWEST] });

function trainStep(method: DemoMethod, { prisma, jobs }: Client, { paths, size }: Plan): Step {
  const folder = paths.runs[method];
  const runId = path.basename(folder);
  const { label, section, startsFrom } = METHODS[method];
  const fromRunId = startsFrom === null ? null : path.basename(paths.runs[startsFrom]);
  return {
    title: `Training ${label} (${section})`,
    done: async () => (await prisma.run.findUnique({ where: { id: runId } }))?.state === 'FINISHED',
    job: () => prisma.job.findFirst({ where: { kind: 'TRAIN', runId }, orderBy: [...NEWEST] }),
    queue: async () => {
      const { id: dataSetId } = (await dataSetOf({ prisma }, paths))!;
      const options = optionsOf(method, folder, SIZES[size]) as TrainOptions;
      return jobs.enqueue('train', { runId, name: runId, method, preset: 'small', dataSetId, fromRunId, options });
    },
    says: () => (existsSync(path.join(folder, 'run.json')) ? endInWords(readRun(folder)) : null),
    after: () => Promise.resolve(),
  };
}

function endInWords(run: Run): string | null {
  const { epochs, state } = run;
  const end = earliestEnd(run);
  const seconds = secondsLeft(end, epochs);
  if (seconds === null) return null;
  const cap = `its cap of ${end.epoch} epochs`;
  if (state === 'finished')
    return `ended by ${end.by === 'cap' ? `${cap}, so that it might have got better` : `the stop rule after ${end.epoch} epochs`}`;
  return `${Math.round(seconds)} s to ${end.by === 'cap' ? cap : `the earliest end by the stop rule, after epoch ${end.epoch}`}`;
}

/** The report is written last, when all runs of the evaluation are measured; one of 0.1.0 has no IoUs, which the verdicts are made of. */
function isReported(run: string): boolean {
  const folder = path.join(run, 'evaluation');
  const holds = (name: string): boolean => ['ious.json', 'report.md'].every((file) => existsSync(path.join(folder, name, file)));
  return existsSync(folder) && readdirSync(folder).some(holds);
}

function measureStep(methods: readonly DemoMethod[], { prisma, jobs }: Client, { paths }: Plan): Step {
  const runIds = methods.map((method) => path.basename(paths.runs[method]));
  const labels = methods.map((method) => METHODS[method].label);
  return {
    title: `Measuring ${labels.slice(0, -1).join(', ')} and ${labels.at(-1)}: AUC, localisation, controls`,
    done: async () => {
      const dataSet = await dataSetOf({ prisma }, paths);
      if (!dataSet) return false;
      const { datasetHash } = dataSet;
      const found = await prisma.run.findMany({ where: { id: { in: runIds } }, include: { evaluations: { where: { datasetHash } } } });
      const measured = found.filter(({ weightsSha256, evaluations }) => evaluations.some((one) => one.weightsSha256 === weightsSha256));
      return measured.length === runIds.length && methods.every((method) => isReported(paths.runs[method]));
    },
    job: () => prisma.job.findFirst({ where: { kind: 'EVALUATE', input: { path: ['runIds'], equals: runIds } }, orderBy: [...NEWEST] }),
    queue: async () => jobs.enqueue('evaluate', { runIds, dataSetId: (await dataSetOf({ prisma }, paths))!.id }),
    says: () => null,
    after: (signal) => explainWhatCameBefore({ prisma, jobs }, runIds, signal),
  };
}

/** From nothing to evaluated runs, in order. */
export function scienceSteps(client: Client, plan: Plan): Step[] {
  const train = (method: DemoMethod): Step => trainStep(method, client, plan);
  const pair = METHODS_SHOWN.slice(0, 2);
  return [
    drawStep(client, plan),
    ...pair.map(train),
    measureStep(pair, client, plan),
    ...METHODS_SHOWN.slice(2).map(train),
    measureStep(METHODS_SHOWN, client, plan),
  ];
}
