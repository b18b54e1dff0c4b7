import { existsSync } from 'node:fs';
import path from 'node:path';
import { CxrError, type PreparedData } from '@cxr-lens/data';
import { codeVersion } from './code-version.ts';
import { describeEngine } from './engine/tensorflow.ts';
import { isImported } from './interop/imported-folder.ts';
import { stepsOf } from './order.ts';
import { readRun, runFiles } from './run-folder.ts';
import {
  type DataRef,
  featureShapeOf,
  METHODS,
  type MethodName,
  PRESETS,
  type PresetName,
  parseTrainOptions,
  type Run,
  type TrainOptions,
} from './spec/index.ts';
import { planStart } from './start.ts';
import { checkBoxes, trainedTestImages, trainingRows } from './supervision.ts';

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
  /** The folder whose weights it starts from: a run where the method needs one, else imported weights. */
  from?: string | undefined;
  /** Goes on with the run in `out` where there is one; else an existing run is refused. */
  resume?: boolean | undefined;
}

/** The data set by content, as runs and evaluations record it. */
export function dataRef(data: PreparedData): DataRef {
  const { name, size, datasetHash, splitHash, preprocessingVersion, bits, synthetic, seed } = data;
  const images = { train: data.rows('train').length, validation: data.rows('validation').length, test: data.rows('test').length };
  return { name, size, datasetHash, splitHash, preprocessingVersion, bits, synthetic, seed, images };
}

/** The run that the request asks for, new or taken up again. Whatever is wrong with it is said here, before a file is written. */
export function planRun(request: TrainRequest, data: PreparedData): Run {
  const { method, preset } = request;
  const options = parseTrainOptions(method, request.options);
  const found = existsSync(runFiles(request.out).run) ? readRun(request.out) : null;
  if (found && !request.resume) {
    throw new CxrError('CONFLICT', `${request.out} already holds a run (${found.state}); resume it (--resume), or choose another folder.`);
  }
  if (!found && isImported(request.out)) {
    throw new CxrError('CONFLICT', `${request.out} holds imported weights; choose another folder for the run.`);
  }
  checkData(data, preset);
  if (found) return continued(found, request, data);
  checkBoxes(method, data);
  const images = trainingRows({ method, options }, data).length;
  checkImages(data, images, options);
  const start = planStart(request, options, data);
  if (start.parent && request.from !== undefined) checkFold(method, options, { from: request.from });
  const now = new Date().toISOString();
  const id = path.basename(path.resolve(request.out));
  return {
    format: 1,
    id,
    name: request.name ?? id,
    method,
    preset,
    ...start,
    inputSize: PRESETS[preset].inputSize,
    featureShape: featureShapeOf(start.network, preset, options),
    data: dataRef(data),
    trainedTestImages: trainedTestImages({ method, options }, data),
    seed: options.seed,
    options,
    codeVersion: codeVersion(),
    engine: describeEngine(),
    state: 'training',
    error: null,
    epochs: [],
    bestEpoch: null,
    stepsPerEpoch: stepsOf(images, options.batchSize),
    weightsSha256: null,
    cardSha256: null,
    nextCardSha256: null,
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

function checkImages(data: PreparedData, images: number, { batchSize }: TrainOptions): void {
  if (images < batchSize) {
    throw new CxrError('BAD_INPUT', `${data.path} has ${images} training images: fewer than one batch of ${batchSize}.`);
  }
  if (data.rows('validation').length === 0) {
    throw new CxrError('BAD_INPUT', `${data.path} has no validation image, so nothing could decide when to stop.`);
  }
}

/** What goes on from a Supervised run must leave out the same patients: the parent has seen the boxes of all others. */
function checkFold(method: MethodName, { fold }: TrainOptions, { from }: { from: string }): void {
  const had = readRun(from).options.fold;
  if (METHODS[method].loss === 'patches' && had !== fold) {
    throw new CxrError(
      'BAD_INPUT',
      `${from} left out fold ${had} and was trained on the boxes of fold ${fold}, which this run would be scored on: set fold=${had}, or start from a run of fold ${fold}.`,
    );
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
  const had = run.data?.datasetHash ?? 'none';
  if (had !== data.datasetHash) throw differs('data set', had.slice(0, 12), data.datasetHash.slice(0, 12));
  return run;
}
