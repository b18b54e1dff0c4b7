import { setImmediate } from 'node:timers/promises';
import { CxrError, type OnProgress, openPrepared, type PreparedData, throwIfCancelled } from '@cxr-lens/data';
import { batchesOf } from './batch.ts';
import { brokenLogit, makeCard } from './card.ts';
import { type Position, readBest, removeBest, restoreCheckpoint, START, writeBest, writeCheckpoint } from './checkpoint.ts';
import { relieveMemory } from './engine/memory.ts';
import { learningRateAfter } from './learning-rate.ts';
import { buildNetwork } from './load-run.ts';
import { objectiveOf } from './methods.ts';
import type { Network } from './networks/network.ts';
import { type Optimiser, optimiserOf } from './optimiser.ts';
import { epochOrder } from './order.ts';
import { planRun, type TrainRequest } from './plan.ts';
import { predictLogits } from './predict.ts';
import { type RunFiles, runFiles, sha256, writeAtomic, writeCard, writeRun } from './run-folder.ts';
import { encodeSafetensors } from './safetensors.ts';
import { type Epoch, earliestEnd, METHODS, type Run, type TrainOptions } from './spec/index.ts';
import { normalisationOf, startNetwork } from './start.ts';
import { compiledStepper, type Stepper, stepsAtOnce } from './step.ts';
import { trainingRows } from './supervision.ts';
import { type ValidationSet, type Validator, validationSet, validatorOf } from './validate.ts';
import { readNetwork, setNetwork } from './weights.ts';

export interface TrainHooks {
  onProgress?: OnProgress | undefined;
  /** Called once run.json holds the epoch. */
  onEpoch?: ((epoch: Epoch, run: Run) => void | Promise<void>) | undefined;
  /** Called once a checkpoint on the way is written, with the steps since the training's start that it holds. */
  onCheckpoint?: ((steps: number) => void | Promise<void>) | undefined;
  /** Stops after the step under way, with a checkpoint. */
  signal?: AbortSignal | undefined;
  /** Called before every write to the run folder; what it throws stops the training with nothing more written. */
  beforeWrite?: (() => Promise<void>) | undefined;
}

interface Training extends TrainHooks {
  files: RunFiles;
  run: Run;
  options: TrainOptions;
  data: PreparedData;
  /** Of the training images. */
  rows: number[];
  validation: ValidationSet;
  network: Network;
  optimiser: Optimiser;
  stepper: Stepper;
  validator: Validator;
  position: Position;
}

/**
 * Trains one run to convergence and leaves a finished run folder. A run that was interrupted (`resume`) ends with the same weights,
 * bit by bit on the CPU, as one that was not; a finished one is returned as it is.
 * CxrError BAD_INPUT and CONFLICT before anything is written, CANCELLED after a checkpoint, UNAVAILABLE when the disk is full.
 */
export async function trainRun(request: TrainRequest & TrainHooks): Promise<Run> {
  const data = await openPrepared(request.data);
  try {
    const run = planRun(request, data);
    if (run.state === 'finished') {
      // a process that was killed between its last two writes left them
      removeBest(runFiles(request.out), null);
      return run;
    }
    return await train(run, data, request);
  } finally {
    data.close();
  }
}

async function train(run: Run, data: PreparedData, request: TrainRequest & TrainHooks): Promise<Run> {
  const training = setUp(run, data, request);
  const { position } = training;
  try {
    await record(training, { state: 'training', error: null });
    removeBest(training.files, position.bestEpoch);
    while (position.epochs.length < earliestEnd({ ...run, bestEpoch: position.bestEpoch }).epoch) {
      await trainEpoch(training);
      await finishEpoch(training);
    }
    return await finish(training);
  } catch (error) {
    await recordFailure(training, error);
    throw error;
  } finally {
    training.stepper.dispose();
    training.validator.dispose();
    training.network.dispose();
    training.optimiser.dispose();
  }
}

/** Network, optimiser and position: from the last checkpoint, else from where the run starts. */
function setUp(run: Run, data: PreparedData, request: TrainRequest & TrainHooks): Training {
  const files = runFiles(request.out);
  const { options } = run;
  // A converged run gives every weight; imported weights leave some layers fresh.
  const network = buildNetwork(run, normalisationOf(run, data), { seed: run.parent ? null : run.seed });
  const optimiser = optimiserOf(network, options);
  try {
    const position = restoreCheckpoint(files, network, optimiser);
    if (!position) startNetwork(network, run, request.from);
    const validation = validationSet(data, options.positiveWeight);
    const { onProgress, onEpoch, onCheckpoint, signal, beforeWrite } = request;
    const hooks = { onProgress, onEpoch, onCheckpoint, signal, beforeWrite };
    const objective = objectiveOf(run.method, options);
    return {
      ...hooks,
      files,
      run,
      options,
      data,
      validation,
      network,
      optimiser,
      rows: trainingRows(run, data),
      stepper: compiledStepper({ network, optimiser, objective, options }, run.method),
      validator: validatorOf(network, data, { set: validation, method: run.method, train: options, objective }),
      position: position ?? { ...START },
    };
  } catch (error) {
    network.dispose();
    optimiser.dispose();
    throw error;
  }
}

/** The rest of the epoch's steps from the position, with a checkpoint every `checkpointSeconds`. */
async function trainEpoch(training: Training): Promise<void> {
  const { rows: all, run, options, position, onProgress, signal } = training;
  const { epoch } = position;
  const what = `${METHODS[run.method].label}, epoch ${epoch}`;
  const order = epochOrder(all, options.seed, epoch);
  const learningRate = learningRateAfter(position.epochs, options);
  let saved = Date.now();
  while (position.step < run.stepsPerEpoch) {
    const started = performance.now();
    const count = Math.min(stepsAtOnce(), run.stepsPerEpoch - position.step);
    const steps = Array.from({ length: count }, (_, ahead) => {
      const step = position.step + ahead;
      const rows = order.slice(step * options.batchSize, (step + 1) * options.batchSize);
      const size = { learningRate, step: (epoch - 1) * run.stepsPerEpoch + step + 1 };
      return { batches: batchesOf({ ...training, position: { epoch, step } }, rows), size };
    });
    for (const loss of training.stepper.take(steps)) {
      if (!Number.isFinite(loss)) throw diverged('training loss', loss, training);
      position.lossSum += loss;
      position.step += 1;
    }
    relieveMemory();
    position.seconds += (performance.now() - started) / 1000;
    onProgress?.({ what, done: position.step, total: run.stepsPerEpoch });
    if (Date.now() - saved >= options.checkpointSeconds * 1000) {
      await checkpointOnTheWay(training);
      saved = Date.now();
    }
    await setImmediate();
    throwIfCancelled(signal, what);
  }
}

/** Validates, keeps the weights when they are the best so far, and moves the position to the next epoch. */
async function finishEpoch(training: Training): Promise<void> {
  training.stepper.settle();
  const { files, run, network, position, onEpoch, onProgress, signal } = training;
  const started = performance.now();
  const what = `${METHODS[run.method].label}, validation after epoch ${position.epoch}`;
  const { loss, perturbedLoss, probe, auc } = await training.validator.validate({ what, onProgress, signal });
  if (!Number.isFinite(loss)) throw diverged('validation loss', loss, training);
  const epoch: Epoch = {
    epoch: position.epoch,
    trainLoss: position.lossSum / run.stepsPerEpoch,
    validationLoss: loss,
    perturbedValidationLoss: perturbedLoss,
    probe,
    validationAuc: auc,
    seconds: position.seconds + (performance.now() - started) / 1000,
  };
  const before = position.bestEpoch;
  const best = before === null || loss < position.epochs[before - 1]!.validationLoss;
  if (best) {
    await training.beforeWrite?.();
    writeBest(files, network, epoch.epoch);
  }
  position.epochs = [...position.epochs, epoch];
  position.bestEpoch = best ? epoch.epoch : before;
  Object.assign(position, { epoch: epoch.epoch + 1, step: 0, lossSum: 0, seconds: 0 });
  await checkpointOnTheWay(training);
  if (best) removeBest(files, epoch.epoch);
  await record(training, {});
  await onEpoch?.(epoch, training.run);
}

/** Best weights, card, run.json, in this order: a folder whose run.json says `finished` is whole. */
async function finish(training: Training): Promise<Run> {
  const { files, data, network, validation, position, onProgress, signal, beforeWrite } = training;
  const best = position.bestEpoch!;
  setNetwork(network, readBest(files, best), `the weights of epoch ${best}`);
  const logits = await predictLogits(network, data, validation.rows, { what: 'Calibration on the validation images', onProgress, signal });
  const bytes = encodeSafetensors(readNetwork(network));
  const weightsSha256 = sha256(bytes);
  const normalisation = normalisationOf(training.run, data);
  const card = makeCard({ run: training.run, network, normalisation, validation: { ...validation, logits }, weightsSha256 });
  const broken = brokenLogit(card.golden);
  if (broken) throw new CxrError('BAD_INPUT', `Training ended, but ${broken}: ${lowerLearningRate(training.options)}.`);
  await beforeWrite?.();
  writeAtomic(files.weights, bytes);
  const cardSha256 = writeCard(files, card);
  await record(training, { state: 'finished', weightsSha256, cardSha256, finishedAt: new Date().toISOString() });
  removeBest(files, null);
  return training.run;
}

/** A checkpoint on the way, which the hook hears of. */
async function checkpointOnTheWay(training: Training): Promise<void> {
  await checkpoint(training);
  const { position, run, onCheckpoint } = training;
  await onCheckpoint?.((position.epoch - 1) * run.stepsPerEpoch + position.step);
}

async function checkpoint({ files, network, optimiser, stepper, position, beforeWrite }: Training): Promise<void> {
  await beforeWrite?.();
  stepper.settle();
  writeCheckpoint(files, network, optimiser, position);
}

async function record(training: Training, change: Partial<Run>): Promise<void> {
  const { epochs, bestEpoch } = training.position;
  training.run = { ...training.run, epochs, bestEpoch, ...change, updatedAt: new Date().toISOString() };
  await training.beforeWrite?.();
  writeRun(training.files, training.run);
}

/** Stopped on request: a checkpoint, so that nothing is lost. Taken over by another attempt: nothing. Else run.json says what it was. */
async function recordFailure(training: Training, error: unknown): Promise<void> {
  const code = error instanceof CxrError ? error.code : 'INTERNAL';
  if (code === 'CONFLICT') return;
  if (code === 'CANCELLED') {
    await checkpoint(training);
    await record(training, { state: 'cancelled', error: null });
    return;
  }
  try {
    await record(training, { state: 'failed', error: { code, message: error instanceof Error ? error.message : String(error) } });
  } catch {
    // what cannot be recorded (a full disk) is thrown by the caller anyway
  }
}

function diverged(metric: string, value: number, { position, options }: Training): CxrError {
  return new CxrError(
    'BAD_INPUT',
    `The ${metric} is ${value} at epoch ${position.epoch}, step ${position.step + 1}: ${lowerLearningRate(options)}.`,
  );
}

const lowerLearningRate = ({ learningRate }: TrainOptions): string =>
  `lower learningRate (now ${learningRate}) and train into a new folder`;
