import { existsSync } from 'node:fs';
import path from 'node:path';
import { CxrError, type PreparedData } from '@cxr-lens/data';
import { codeVersion } from './code-version.ts';
import { engineInfo } from './engine/tensorflow.ts';
import { stepsOf } from './order.ts';
import { readRun, runFiles } from './run-folder.ts';
import {
  type DataRef,
  featureShapeOf,
  METHODS,
  type MethodName,
  PRESETS,
  type PresetName,
  parentMethod,
  parseTrainOptions,
  type Run,
  type TrainOptions,
} from './spec/index.ts';

export interface TrainRequest {
  method: MethodName;
  /** The prepared file. */
  data: string;
  /** The run folder to write; its name becomes the run's id. */
  out: string;
  preset: PresetName;
  /** What differs from the defaults; see `TrainOptionsSchema`. */
  options?: Partial<TrainOptions> | undefined;
  /** What people call the run; default the folder's name. */
  name?: string | undefined;
  /** The run folder whose weights it starts from, where the method needs one. */
  from?: string | undefined;
  /** Goes on with the run in `out` where there is one; else an existing run is refused. */
  resume?: boolean | undefined;
}

/** The data set by content, as runs and evaluations record it. */
export function dataRef(data: PreparedData): DataRef {
  const { name, size, datasetHash, splitHash, preprocessingVersion, synthetic, seed } = data;
  const images = { train: data.rows('train').length, validation: data.rows('validation').length, test: data.rows('test').length };
  return { name, size, datasetHash, splitHash, preprocessingVersion, synthetic, seed, images };
}

/** The run that the request asks for, new or taken up again. Whatever is wrong with it is said here, before a file is written. */
export function planRun(request: TrainRequest, data: PreparedData): Run {
  const { method, preset } = request;
  const options = parseTrainOptions(method, request.options);
  const found = existsSync(runFiles(request.out).run) ? readRun(request.out) : null;
  if (found && !request.resume) {
    throw new CxrError('CONFLICT', `${request.out} already holds a run (${found.state}); resume it (--resume), or choose another folder.`);
  }
  checkData(data, preset);
  if (found) return continued(found, request, data);
  checkImages(data, options);
  const parent = planParent(request, options, data);
  const { network } = METHODS[method];
  const now = new Date().toISOString();
  const id = path.basename(path.resolve(request.out));
  return {
    format: 1,
    id,
    name: request.name ?? id,
    method,
    preset,
    network,
    inputSize: PRESETS[preset].inputSize,
    featureShape: featureShapeOf(network, preset),
    data: dataRef(data),
    parent,
    initialisation: parent ? 'run' : 'he-normal',
    seed: options.seed,
    options,
    codeVersion: codeVersion(),
    engine: describeEngine(),
    state: 'training',
    error: null,
    epochs: [],
    bestEpoch: null,
    stepsPerEpoch: stepsOf(data.rows('train').length, options.batchSize),
    weightsSha256: null,
    createdAt: now,
    updatedAt: now,
    finishedAt: null,
  };
}

function checkData(data: PreparedData, preset: PresetName): void {
  const { inputSize } = PRESETS[preset];
  if (data.size !== inputSize) {
    throw new CxrError(
      'BAD_INPUT',
      `${data.path} holds images of ${data.size} x ${data.size}; preset ${preset} takes ${inputSize} x ${inputSize}. Prepare them with --size ${inputSize}.`,
    );
  }
}

function checkImages(data: PreparedData, { batchSize }: TrainOptions): void {
  const train = data.rows('train').length;
  if (train < batchSize) {
    throw new CxrError('BAD_INPUT', `${data.path} has ${train} training images: fewer than one batch of ${batchSize}.`);
  }
  if (data.rows('validation').length === 0) {
    throw new CxrError('BAD_INPUT', `${data.path} has no validation image, so nothing could decide when to stop.`);
  }
}

/** An interrupted run goes on only as what it was: same method, preset, options and data. */
function continued(run: Run, request: TrainRequest, data: PreparedData): Run {
  const differs = (what: string, had: unknown, asked: unknown): CxrError =>
    new CxrError('CONFLICT', `${request.out} was started with ${what} ${had}, not ${asked}: it can only go on as it was.`);
  if (run.method !== request.method) throw differs('method', run.method, request.method);
  if (run.preset !== request.preset) throw differs('preset', run.preset, request.preset);
  for (const [name, asked] of Object.entries(request.options ?? {})) {
    const had = run.options[name as keyof TrainOptions];
    if (asked !== undefined && asked !== had) throw differs(name, had, asked);
  }
  if (run.data.datasetHash !== data.datasetHash)
    throw differs('data set', run.data.datasetHash.slice(0, 12), data.datasetHash.slice(0, 12));
  return run;
}

/** The run to start from, checked: the right method, converged, the same network and the same images. */
function planParent({ method, preset, from }: TrainRequest, options: TrainOptions, data: PreparedData): Run['parent'] {
  const startsFrom = parentMethod(method, options);
  if (startsFrom === null) {
    if (from === undefined) return null;
    throw new CxrError('BAD_INPUT', `${method} starts from fresh weights; leave out --from ${from}.`);
  }
  if (from === undefined)
    throw new CxrError('BAD_INPUT', `${method} starts from a converged ${startsFrom} run: name its folder with --from.`);
  const parent = readRun(from);
  if (parent.method !== startsFrom) {
    throw new CxrError('BAD_INPUT', `${from} is a ${parent.method} run; ${method} starts from a ${startsFrom} run.`);
  }
  if (parent.state !== 'finished' || parent.weightsSha256 === null) {
    throw new CxrError('BAD_INPUT', `${from} has not converged (it is ${parent.state}); finish its training first.`);
  }
  if (parent.preset !== preset) {
    throw new CxrError('BAD_INPUT', `${from} has preset ${parent.preset}, asked is ${preset}: its weights do not fit.`);
  }
  if (parent.data.datasetHash !== data.datasetHash) {
    throw new CxrError(
      'BAD_INPUT',
      `${from} was trained on other data than ${data.path}: validation images could be training images there.`,
    );
  }
  return { id: parent.id, method: parent.method, weightsSha256: parent.weightsSha256 };
}

function describeEngine(): string {
  const { tensorflow, device } = engineInfo();
  return `TensorFlow ${tensorflow}, ${device}`;
}
