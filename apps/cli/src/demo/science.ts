import { existsSync } from 'node:fs';
import path from 'node:path';
import { cpuFeatures } from '@cxr-lens/model/cpu';
import { readRun } from '@cxr-lens/model/run-folder';
import { earliestEnd, METHODS, type Run, secondsLeft, type TrainOptions } from '@cxr-lens/model/spec';
import type { DataSet, Job } from '@cxr-lens/prisma';
import type { Client } from './client.ts';
import { explainWhatCameBefore } from './explain.ts';
import { uploadExamples } from './studies.ts';

/** What the demo trains on: enough phantoms, of a size that is drawn in a minute, that every method learns on two cores. */
const PHANTOM = { name: 'phantom', images: 2000, drawnSize: 192, size: 96, seed: 1, prevalence: 'enriched' } as const;

/**
 * The methods of the demo in the order of training. Baseline and Robust end by the stop rule, in bfloat16 where the CPU multiplies it
 * itself; the others, for the demo's time, after so many epochs.
 */
const TRAININGS = {
  baseline: {},
  robust: {},
  chexnet: { maxEpochs: 6 },
  'nih-star': { maxEpochs: 7 },
} as const satisfies Record<string, Partial<TrainOptions>>;

type DemoMethod = keyof typeof TRAININGS;

export interface DemoPaths {
  phantom: string;
  prepared: string;
  /** The run folder of every method, in the order of training. */
  runs: Record<DemoMethod, string>;
}

/** Where the demo keeps what it makes, below CXR_HOME. */
export function demoPaths(home: string): DemoPaths {
  const { name, size } = PHANTOM;
  const runs = Object.keys(TRAININGS).map((method) => [method, path.join(home, 'runs', `demo-${method}`)]);
  return {
    phantom: path.join(home, 'data', name),
    prepared: path.join(home, 'data', `${name}-${size}.cxr`),
    runs: Object.fromEntries(runs) as DemoPaths['runs'],
  };
}

/** The options of a new run of the demo; one that was begun goes on with its own. */
function optionsOf(method: DemoMethod, folder: string): Partial<TrainOptions> {
  if (existsSync(path.join(folder, 'run.json'))) return readRun(folder).options;
  const capped = 'maxEpochs' in TRAININGS[method];
  return { ...TRAININGS[method], ...(!capped && cpuFeatures().bf16 ? { precision: 'bfloat16' } : {}) };
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
  /** What follows it, also where it was done before; the next step does not wait for it. */
  after: (signal: AbortSignal) => Promise<void>;
}

const NEWEST = [{ createdAt: 'desc' }, { id: 'desc' }] as const;

function drawStep({ prisma, jobs }: Client, paths: DemoPaths, address: Promise<string>): Step {
  return {
    title: `Drawing ${PHANTOM.images} synthetic radiographs`,
    done: async () => existsSync(paths.prepared) && (await dataSetOf({ prisma }, paths)) !== null,
    job: () => prisma.job.findFirst({ where: { kind: 'PHANTOM', input: { equals: PHANTOM } }, orderBy: [...NEWEST] }),
    queue: () => jobs.enqueue('phantom', PHANTOM),
    says: () => null,
    after: () => uploadExamples({ prisma }, paths, address),
  };
}

/** The newest row of the demo's prepared file. */
export const dataSetOf = ({ prisma }: Pick<Client, 'prisma'>, { prepared }: DemoPaths): Promise<DataSet | null> =>
  prisma.dataSet.findFirst({ where: { path: prepared }, orderBy: [...NEWEST] });

function trainStep(method: DemoMethod, { prisma, jobs }: Client, paths: DemoPaths): Step {
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
      const options = optionsOf(method, folder) as TrainOptions;
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

function measureStep(methods: readonly DemoMethod[], { prisma, jobs }: Client, paths: DemoPaths): Step {
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
      return measured.length === runIds.length;
    },
    job: () => prisma.job.findFirst({ where: { kind: 'EVALUATE', input: { path: ['runIds'], equals: runIds } }, orderBy: [...NEWEST] }),
    queue: async () => jobs.enqueue('evaluate', { runIds, dataSetId: (await dataSetOf({ prisma }, paths))!.id }),
    says: () => null,
    after: (signal) => explainWhatCameBefore({ prisma, jobs }, runIds, signal),
  };
}

/** From nothing to evaluated runs, in order. `address`: of the pages, once they are open. */
export function scienceSteps(client: Client, paths: DemoPaths, address: Promise<string>): Step[] {
  const methods = Object.keys(TRAININGS) as DemoMethod[];
  const train = (method: DemoMethod): Step => trainStep(method, client, paths);
  const pair = methods.slice(0, 2);
  return [
    drawStep(client, paths, address),
    ...pair.map(train),
    measureStep(pair, client, paths),
    ...methods.slice(2).map(train),
    measureStep(methods, client, paths),
  ];
}
