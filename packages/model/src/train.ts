import { setImmediate } from 'node:timers/promises';
import { CxrError, FINDINGS, type OnProgress, openPrepared, type PreparedData, throwIfCancelled } from '@cxr-lens/data';
import { makeCard } from './card.ts';
import { type Position, readBest, removeBest, restoreCheckpoint, START, writeBest, writeCheckpoint } from './checkpoint.ts';
import { relieveMemory } from './engine/memory.ts';
import { tf } from './engine/tensorflow.ts';
import { imageBatch, labelsOf } from './images.ts';
import { buildNetwork, readWeights } from './load-run.ts';
import { batchBeta } from './losses/bce.ts';
import { type Batch, type Objective, objectiveOf, stepInputs, stepLoss } from './methods.ts';
import type { Network } from './networks/network.ts';
import { epochOrder, perturbedPositions } from './order.ts';
import { planRun, type TrainRequest } from './plan.ts';
import { predictLogits } from './predict.ts';
import { type RunFiles, runFiles, sha256, writeAtomic, writeCard, writeRun } from './run-folder.ts';
import { encodeSafetensors } from './safetensors.ts';
import { type Sgd, sgd } from './sgd.ts';
import { type Epoch, METHODS, type Run, type TrainOptions } from './spec/index.ts';
import { type ValidationSet, validate, validationSet } from './validate.ts';
import { readNetwork, setNetwork } from './weights.ts';

export interface TrainHooks {
  onProgress?: OnProgress | undefined;
  /** Called once run.json holds the epoch. */
  onEpoch?: ((epoch: Epoch, run: Run) => void | Promise<void>) | undefined;
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
  validation: ValidationSet;
  network: Network;
  optimiser: Sgd;
  objective: Objective;
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
  const { position, options } = training;
  try {
    await record(training, { state: 'training', error: null });
    removeBest(training.files, position.bestEpoch);
    while (!converged(position, options)) {
      await trainEpoch(training);
      await finishEpoch(training);
    }
    return await finish(training);
  } catch (error) {
    await recordFailure(training, error);
    throw error;
  } finally {
    training.network.dispose();
    training.optimiser.dispose();
  }
}

/** Network, optimiser and position: from the last checkpoint, else from the parent's weights, else from the initialisation. */
function setUp(run: Run, data: PreparedData, request: TrainRequest & TrainHooks): Training {
  const files = runFiles(request.out);
  const { options } = run;
  const network = buildNetwork(run, data.statistics);
  const optimiser = sgd(network, options);
  try {
    const position = restoreCheckpoint(files, network, optimiser);
    if (!position && run.parent) startFromParent(network, run.parent, request.from);
    const validation = validationSet(data, options.positiveWeight);
    const { onProgress, onEpoch, signal, beforeWrite } = request;
    const hooks = { onProgress, onEpoch, signal, beforeWrite };
    return {
      ...hooks,
      files,
      run,
      options,
      data,
      validation,
      network,
      optimiser,
      objective: objectiveOf(run.method),
      position: position ?? { ...START },
    };
  } catch (error) {
    network.dispose();
    optimiser.dispose();
    throw error;
  }
}

function startFromParent(network: Network, parent: NonNullable<Run['parent']>, from: string | undefined): void {
  if (from === undefined) throw new CxrError('BAD_INPUT', `The run starts from ${parent.id}: name its folder with --from.`);
  const { run, tensors } = readWeights(from);
  if (run.weightsSha256 !== parent.weightsSha256) {
    throw new CxrError('CONFLICT', `${from} has changed since this run was planned; train into a new folder.`);
  }
  setNetwork(network, tensors, runFiles(from).weights);
}

/** Until the validation loss diverges: `patience` epochs without a smaller one. */
function converged({ epochs, bestEpoch }: Position, { patience, maxEpochs }: TrainOptions): boolean {
  return epochs.length >= maxEpochs || (bestEpoch !== null && epochs.length - bestEpoch >= patience);
}

/** The rest of the epoch's steps from the position, with a checkpoint every `checkpointSeconds`. */
async function trainEpoch(training: Training): Promise<void> {
  const { data, run, options, position, onProgress, signal } = training;
  const { epoch } = position;
  const what = `${METHODS[run.method].label}, epoch ${epoch}`;
  const order = epochOrder(data.rows('train'), options.seed, epoch);
  let saved = Date.now();
  while (position.step < run.stepsPerEpoch) {
    const started = performance.now();
    const rows = order.slice(position.step * options.batchSize, (position.step + 1) * options.batchSize);
    const loss = tf.tidy(() => takeStep(training, batchOf(training, rows)));
    relieveMemory();
    if (!Number.isFinite(loss)) throw diverged('training loss', loss, training);
    position.lossSum += loss;
    position.step += 1;
    position.seconds += (performance.now() - started) / 1000;
    onProgress?.({ what, done: position.step, total: run.stepsPerEpoch });
    if (Date.now() - saved >= options.checkpointSeconds * 1000) {
      await checkpoint(training);
      saved = Date.now();
    }
    await setImmediate();
    throwIfCancelled(signal, what);
  }
}

/** The images of one step, which of them may be perturbed, and beta of them all. */
function batchOf({ data, options, position }: Training, rows: readonly number[]): Batch {
  const labels = labelsOf(data, rows);
  return {
    x: imageBatch(data, rows),
    y: tf.tensor2d(Float32Array.from(labels), [rows.length, FINDINGS.length]),
    beta: options.positiveWeight === 'batch' ? batchBeta(labels) : 1,
    perturbed: perturbedPositions(rows.length, options.perturbedFraction, { ...position, seed: options.seed }),
    seed: `attack/${options.seed}/${position.epoch}/${position.step}`,
  };
}

/** One step: inputs of the objective, its gradient, SGD. Returns the loss. */
export function takeStep(
  { network, optimiser, objective, options }: Pick<Training, 'network' | 'optimiser' | 'objective' | 'options'>,
  batch: Batch,
): number {
  return tf.tidy(() => {
    const x = stepInputs(network, batch, { objective, options });
    const loss = stepLoss(network, { ...batch, x }, { objective, options });
    const { value, grads } = tf.variableGrads(loss, [...network.parameters.values()]);
    optimiser.apply(grads);
    return value.dataSync<'float32'>()[0]!;
  });
}

/** Validates, keeps the weights when they are the best so far, and moves the position to the next epoch. */
async function finishEpoch(training: Training): Promise<void> {
  const { files, run, options, data, network, position, onEpoch, onProgress, signal } = training;
  const started = performance.now();
  const what = `${METHODS[run.method].label}, validation after epoch ${position.epoch}`;
  const { loss, perturbedLoss, probe, auc } = await validate(network, data, training.validation, {
    what,
    onProgress,
    signal,
    train: options,
    objective: training.objective,
  });
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
  await checkpoint(training);
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
  const normalisation = { ...data.statistics, source: 'training images' };
  const card = makeCard({ run: training.run, network, normalisation, validation: { ...validation, logits }, weightsSha256 });
  await beforeWrite?.();
  writeAtomic(files.weights, bytes);
  writeCard(files, card);
  await record(training, { state: 'finished', weightsSha256, finishedAt: new Date().toISOString() });
  removeBest(files, null);
  return training.run;
}

async function checkpoint({ files, network, optimiser, position, beforeWrite }: Training): Promise<void> {
  await beforeWrite?.();
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
    `The ${metric} is ${value} at epoch ${position.epoch}, step ${position.step + 1}: lower learningRate (now ${options.learningRate}) and train into a new folder.`,
  );
}
