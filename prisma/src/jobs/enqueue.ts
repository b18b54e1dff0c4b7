import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { CxrError, cxrHome } from '@cxr-lens/data';
import {
  fillOptions,
  fillWrittenOptions,
  METHODS,
  optionsOf,
  PRESETS,
  type PresetName,
  parentMethod,
  parseTrainOptions,
} from '@cxr-lens/model/spec';
import { z } from 'zod';
import type { DataSet, Job, Prisma, Run } from '../../generated/client/client.ts';
import { JOB_INPUTS, JOB_KINDS, type JobInput, type JobName } from './inputs.ts';

type Tx = Prisma.TransactionClient;

/** The input of a job as its row has it, which an earlier version may have written. */
export const readJobInput = <Name extends JobName>(name: Name, { input }: Pick<Job, 'input'>): JobInput<Name> =>
  parseJobInput(name, fillWrittenOptions(input));

/** The checked input of a job: CxrError BAD_INPUT names the field that is wrong. */
function parseJobInput<Name extends JobName>(name: Name, request: unknown): JobInput<Name> {
  const parsed = JOB_INPUTS[name].safeParse(request);
  if (parsed.success) return parsed.data as JobInput<Name>;
  throw new CxrError('BAD_INPUT', `A ${name} job cannot be made of this: ${z.prettifyError(parsed.error)}`);
}

/** Writes the rows of a new job, of a sweep's training where `sweepId` names one, after checking what it refers to. */
export async function createJobRow<Name extends JobName>(
  tx: Tx,
  name: Name,
  request: unknown,
  sweepId: string | null = null,
): Promise<Job> {
  const input = parseJobInput(name, fillOptions(request));
  const references = await REFERENCES[name](tx, input);
  return tx.job.create({
    data: { id: randomUUID(), kind: JOB_KINDS[name], input, ...references, sweepId, events: { create: { message: 'Queued' } } },
  });
}

type References = Pick<Prisma.JobUncheckedCreateInput, 'runId' | 'imageId' | 'dataSetId'>;

const REFERENCES: { [Name in JobName]: (tx: Tx, input: JobInput<Name>) => Promise<References> } = {
  phantom: () => Promise.resolve({}),

  async train(tx, { runId, name, method, preset, dataSetId, fromRunId, options: given }) {
    const dataSet = await findDataSet(tx, dataSetId);
    checkSize(dataSet, preset);
    const options = parseTrainOptions(method, given);
    await checkStart(tx, { method, preset, fromRunId, options });
    const columns = {
      name,
      method,
      preset,
      state: 'TRAINING',
      seed: options.seed,
      epsilon: optionsOf(method, options).includes('epsilon') ? options.epsilon : null,
      options,
      path: path.join(cxrHome(), 'runs', runId),
      datasetHash: dataSet.datasetHash,
      dataSetId,
      parentId: fromRunId,
    } as const;
    await checkFree(tx, { id: runId, path: columns.path });
    await tx.run.upsert({ where: { id: runId }, create: { id: runId, ...columns }, update: { ...columns, error: null, finishedAt: null } });
    return { runId, dataSetId };
  },

  async evaluate(tx, { runIds, dataSetId }) {
    const dataSet = await findDataSet(tx, dataSetId);
    for (const run of await findFinishedRuns(tx, runIds)) checkSize(dataSet, run.preset);
    return { dataSetId, runId: single(runIds) };
  },

  async explain(tx, { imageId, runIds }) {
    if (!(await tx.image.findUnique({ where: { id: imageId } }))) throw new CxrError('NOT_FOUND', `There is no image ${imageId}.`);
    await findFinishedRuns(tx, runIds);
    return { imageId, runId: single(runIds) };
  },
};

/** A run that was begun in this very folder on the command line, and has not finished, can go on as a job. */
async function checkFree(tx: Tx, { id, path: folder }: Pick<Run, 'id' | 'path'>): Promise<void> {
  const known = await tx.run.findUnique({ where: { id }, include: { jobs: { where: { kind: 'TRAIN' }, take: 1 } } });
  if (!known || (known.state !== 'FINISHED' && known.jobs.length === 0 && known.path === folder)) return;
  throw new CxrError('CONFLICT', `There is a run ${id} already: choose another name.`);
}

const single = (ids: readonly string[]): string | null => (ids.length === 1 ? ids[0]! : null);

async function findDataSet(tx: Tx, id: string): Promise<DataSet> {
  const dataSet = await tx.dataSet.findUnique({ where: { id } });
  if (!dataSet) throw new CxrError('NOT_FOUND', `There is no data set ${id}.`);
  return dataSet;
}

export async function findFinishedRuns(tx: Tx, ids: readonly string[]): Promise<Run[]> {
  const runs = await tx.run.findMany({ where: { id: { in: [...ids] } } });
  for (const id of ids) {
    const run = runs.find((candidate) => candidate.id === id);
    if (!run) throw new CxrError('NOT_FOUND', `There is no run ${id}.`);
    if (run.state !== 'FINISHED')
      throw new CxrError('BAD_INPUT', `Run ${id} is ${run.state.toLowerCase()}: only a finished run can be used.`);
  }
  return runs;
}

function checkSize(dataSet: DataSet, preset: string): void {
  const { inputSize } = PRESETS[preset as PresetName];
  if (dataSet.size === inputSize) return;
  const message = `Data set ${dataSet.name} has images of ${dataSet.size} pixels, preset ${preset} takes ${inputSize}: prepare it with --size ${inputSize}.`;
  throw new CxrError('BAD_INPUT', message);
}

async function checkStart(tx: Tx, input: Pick<JobInput<'train'>, 'method' | 'preset' | 'fromRunId' | 'options'>): Promise<void> {
  const { label } = METHODS[input.method];
  const startsFrom = parentMethod(input.method, input.options);
  if (startsFrom === null) {
    if (input.fromRunId) throw new CxrError('BAD_INPUT', `${label} starts from its initialisation, not from run ${input.fromRunId}.`);
    return;
  }
  if (!input.fromRunId) throw new CxrError('BAD_INPUT', `${label} starts from a finished ${METHODS[startsFrom].label} run: name one.`);
  const [run] = await findFinishedRuns(tx, [input.fromRunId]);
  if (run!.method === startsFrom && run!.preset === input.preset) return;
  const message = `${label} (${input.preset}) starts from a ${METHODS[startsFrom].label} run of the same preset; run ${run!.id} is ${run!.method} (${run!.preset}).`;
  throw new CxrError('BAD_INPUT', message);
}
