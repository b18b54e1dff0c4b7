import path from 'node:path';
import { FINDINGS, random } from '@cxr-lens/data';
import { perturbationArrays } from './batch.ts';
import { hostScalar } from './engine/host-array.ts';
import { relieveMemory } from './engine/memory.ts';
import { describeEngine, engineInfo, tf } from './engine/tensorflow.ts';
import { closeInference, inferenceOf } from './inference.ts';
import { exportOnnx, exportSafetensors, type Origin } from './interop/export.ts';
import { batchBeta } from './losses/bce.ts';
import { objectiveOf } from './methods.ts';
import { networkOf } from './networks/build.ts';
import type { Network } from './networks/network.ts';
import { optimiserOf } from './optimiser.ts';
import { defaultOptions, type TrainOptions } from './spec/index.ts';
import { compiledStepper, type Stepper, stepsAtOnce } from './step.ts';

export type BenchNetwork = 'truncated-densenet121' | 'densenet121' | 'resnet50';

/** A network of the paper's size with seeded weights, and what the product does with it, on plain arrays. */
export interface BenchModel {
  /** Side S of its images. */
  inputSize: number;
  /** Writes `<network>.safetensors` and `<network>.onnx`. */
  write(folder: string): void;
  /**
   * Steps of the trainer (SGD, momentum 0.9), all on the same batch; for Robust its first half is replaced by FGSM images.
   * @param pixels [B, S, S], 0 to 255; every call the same B
   * @param labels [B, 14], 0 or 1
   * @returns the loss before each step
   */
  steps(pixels: Uint8Array, labels: Uint8Array, count: number): number[];
  /** Steps that a training takes in one call here. */
  stepsAtOnce: number;
  /** [B, 14]; not after a step. */
  logits(pixels: Uint8Array): Float32Array;
  /** Logits [B, 14] in one pass with the CAMs of all findings, [B, 14, h, w]; not after a step. */
  logitsAndCams(pixels: Uint8Array): { logits: Float32Array; cams: Float32Array };
  /** Gradients of the findings' logits of one image, [S, S] each; not after a step. */
  saliency(pixels: Uint8Array, findings: readonly number[]): Float32Array[];
  dispose(): void;
}

/** What computes here, and how to say it. */
export function benchEngine(): { device: 'CPU' | 'GPU'; says: string } {
  return { device: engineInfo().device, says: `this is ${describeEngine()}` };
}

interface BenchOptions {
  method: 'baseline' | 'robust';
  /** Of the training step, and of logits and CAMs. */
  precision: TrainOptions['precision'];
}

const PIXELS = { mean: 0.5, std: 0.25 };
const SEED = 0;
// The trainer's 0.01 would turn rounding errors into other losses: fresh weights are far from any minimum.
const LEARNING_RATE = 1e-4;
const ORIGIN: Origin = { run: 'bench', weightsSha256: '', preset: 'paper', normalisation: PIXELS, pooling: 'average' };

/** The network with the trainer of Baseline or Robust. */
export function benchModel(name: BenchNetwork, { method, precision }: BenchOptions): BenchModel {
  const network = varied(networkOf(name, { preset: 'paper', ...PIXELS, seed: SEED, precision }));
  const { inputSize } = network;
  const training = trainingOf(network, { method, precision });
  return {
    inputSize,
    write(folder) {
      const file = path.join(folder, name);
      exportSafetensors(network, `${file}.safetensors`, ORIGIN);
      exportOnnx(network, `${file}.onnx`, ORIGIN);
    },
    steps: training.steps,
    stepsAtOnce: stepsAtOnce(),
    logits: (pixels) => inferenceOf(network).logits(pixels),
    logitsAndCams(pixels) {
      const { logits, maps } = inferenceOf(network).evidence(pixels);
      return { logits, cams: maps!.values };
    },
    saliency: (pixels, findings) => inferenceOf(network).saliency(pixels, findings),
    dispose() {
      closeInference(network);
      training.dispose();
      network.dispose();
    },
  };
}

/** The trainer's steps on one batch, made when the first is taken. */
function trainingOf(network: Network, { method, precision }: BenchOptions): Pick<BenchModel, 'steps' | 'dispose'> {
  const options = { ...defaultOptions(method), precision };
  const optimiser = optimiserOf(network, options);
  const stepper: Stepper = compiledStepper({ network, optimiser, objective: objectiveOf(method, options), options }, method);
  const side = network.inputSize;
  let taken = 0;
  return {
    steps(pixels, labels, count) {
      const size = labels.length / FINDINGS.length;
      const chosen = Uint8Array.from({ length: size }, (_, index) => (index < Math.floor(size / 2) ? 1 : 0));
      const batch = {
        pixels: { shape: [size, side, side, 1], data: pixels },
        labels: { shape: [size, FINDINGS.length], data: labels },
        beta: hostScalar(batchBeta(labels)),
        ...perturbationArrays(options, chosen, { side, seed: 'bench' }),
      };
      const sizes = Array.from({ length: count }, (_, ahead) => ({ learningRate: LEARNING_RATE, step: taken + ahead + 1 }));
      const losses = stepper.take(sizes.map((size) => ({ batches: [batch], size })));
      taken += count;
      relieveMemory();
      return losses;
    },
    dispose() {
      stepper.dispose();
      optimiser.dispose();
    },
  };
}

/**
 * Batch norm away from its start: a peer that folded it wrongly would else agree. Residual branches count for little, as in a trained
 * network: else gradients grow from block to block, and with them rounding errors.
 */
function varied(network: Network): Network {
  for (const [name, variable] of [...network.parameters, ...network.statistics]) {
    const [, kind] = /\.(scale|offset|mean|variance)$/.exec(name) ?? [];
    if (kind === undefined) continue;
    const { next } = random(`bench/${name}`);
    const shift = kind === 'scale' || kind === 'variance' ? 1 : 0;
    const size = name.endsWith('.norm3.scale') ? 0.2 : 1;
    const values = Float32Array.from({ length: variable.size }, () => size * (shift + 0.4 * next() - 0.2));
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return network;
}
