import { randomBytes } from 'node:crypto';
import { CxrError, type Finding } from '@cxr-lens/data';
import {
  type MethodName,
  PRESET_NAMES,
  PRESETS,
  type PresetName,
  parsePreset,
  parseTrainOptions,
  SWEEP_EPSILONS,
} from '@cxr-lens/model/spec';
import { activeRunIds, type Job, type Jobs, type PrismaClient } from '@cxr-lens/prisma';

interface Queue {
  prisma: PrismaClient;
  jobs: Jobs;
}

export interface ExplainRequest {
  imageId: string;
  /** null: all active finished runs. */
  runIds: readonly string[] | null;
  findings: readonly Finding[];
}

/** Queues the explanation of one image. NOT_FOUND for image or run; CONFLICT for a run that is not finished, or when none is in use. */
export async function explainImage({ prisma, jobs }: Queue, { imageId, runIds, findings }: ExplainRequest): Promise<Job> {
  const image = await prisma.image.findUnique({ where: { id: imageId }, select: { id: true } });
  if (!image) throw new CxrError('NOT_FOUND', `There is no image ${imageId}.`);
  const chosen = runIds === null ? await activeRunIds(prisma) : await finishedRunIds(prisma, runIds);
  if (chosen.length === 0)
    throw new CxrError(
      'CONFLICT',
      'No finished run is in use: train one, or put one into use: "Use for uploads" on its page, activateRun in GraphQL.',
    );
  return jobs.enqueue('explain', { imageId, runIds: chosen, findings: [...findings] });
}

async function finishedRunIds(prisma: PrismaClient, ids: readonly string[]): Promise<string[]> {
  const unique = [...new Set(ids)];
  const rows = await prisma.run.findMany({ where: { id: { in: unique } }, select: { id: true, state: true } });
  for (const id of unique) {
    const row = rows.find((candidate) => candidate.id === id);
    if (!row) throw new CxrError('NOT_FOUND', `There is no run ${id}.`);
    if (row.state !== 'FINISHED') throw new CxrError('CONFLICT', `Run ${id} is ${row.state.toLowerCase()}: wait until it is finished.`);
  }
  return unique;
}

export interface TrainRequest {
  method: MethodName;
  dataSet: string;
  preset?: string | null | undefined;
  name?: string | null | undefined;
  fromRun?: string | null | undefined;
  seed?: number | null | undefined;
  epsilon?: number | null | undefined;
  options?: Record<string, unknown> | null | undefined;
}

/** Queues a training; its run can be looked at from now on. NOT_FOUND for the data set or `fromRun`, BAD_INPUT for an option. */
export async function trainRun({ prisma, jobs }: Queue, request: TrainRequest): Promise<Job> {
  const { method, seed, epsilon } = request;
  const dataSet = await prisma.dataSet.findUnique({ where: { id: request.dataSet } });
  if (!dataSet) throw new CxrError('NOT_FOUND', `There is no data set ${request.dataSet}.`);
  const preset = request.preset ? parsePreset(request.preset) : presetOfSize(dataSet.size);
  const given = { ...request.options, ...(seed == null ? {} : { seed }), ...(epsilon == null ? {} : { epsilon }) };
  const options = parseTrainOptions(method, given);
  const runId = `${method}-${preset}-${stamp()}`;
  const name = request.name?.trim() || runId;
  return jobs.enqueue('train', { runId, name, method, preset, dataSetId: dataSet.id, fromRunId: request.fromRun ?? null, options });
}

export interface SweepEpsilonRequest {
  fromRun: string;
  epsilons?: readonly number[] | null | undefined;
  name?: string | null | undefined;
  seed?: number | null | undefined;
  options?: Record<string, unknown> | null | undefined;
}

/** Queues one training per epsilon from a converged Baseline, seen as one job. NOT_FOUND for the run, CONFLICT for one that trains. */
export async function sweepEpsilon({ prisma, jobs }: Queue, request: SweepEpsilonRequest): Promise<Job> {
  const { fromRun, seed, epsilons } = request;
  await finishedRunIds(prisma, [fromRun]);
  const id = `sweep-${stamp()}`;
  const options = { ...request.options, ...(seed == null ? {} : { seed }) };
  return jobs.sweep({ id, name: request.name?.trim() || id, fromRunId: fromRun, epsilons: epsilons ?? SWEEP_EPSILONS, options });
}

function presetOfSize(size: number): PresetName {
  const preset = PRESET_NAMES.find((name) => PRESETS[name].inputSize === size);
  if (preset) return preset;
  const sizes = PRESET_NAMES.map((name) => `${PRESETS[name].inputSize} (${name})`).join(', ');
  throw new CxrError('BAD_INPUT', `The data set's images are ${size} x ${size}: no preset takes them. Prepare it with --size ${sizes}.`);
}

/** 20261123-061109-3fa2: sorts by time; the tail keeps two of one second apart. */
function stamp(): string {
  const [day, time] = new Date().toISOString().split('T') as [string, string];
  return `${day.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${randomBytes(2).toString('hex')}`;
}

export interface EvaluateRequest {
  runId: string;
  /** null: the data set that the run was trained on. */
  dataSetId: string | null;
}

/** Queues the evaluation of a finished run. */
export async function evaluateRun({ prisma, jobs }: Queue, { runId, dataSetId }: EvaluateRequest): Promise<Job> {
  await finishedRunIds(prisma, [runId]);
  const run = await prisma.run.findUniqueOrThrow({ where: { id: runId }, select: { dataSetId: true } });
  const chosen = dataSetId ?? run.dataSetId;
  if (!chosen) throw new CxrError('BAD_INPUT', `The data set of run ${runId} is not registered here: name another one.`);
  const known = await prisma.dataSet.findUnique({ where: { id: chosen }, select: { id: true } });
  if (!known) throw new CxrError('NOT_FOUND', `There is no data set ${chosen}.`);
  return jobs.enqueue('evaluate', { runIds: [runId], dataSetId: chosen });
}
