import { random } from '@cxr-lens/data';
import { tf } from './engine/tensorflow.ts';
import { batchBeta } from './losses/bce.ts';
import { type Batch, objectiveOf } from './methods.ts';
import type { Network } from './networks/network.ts';
import type { Optimiser } from './optimiser.ts';
import { defaultOptions } from './spec/index.ts';
import { takeStep } from './train.ts';

/** One step of Robust on a seeded batch of noise, as the trainer takes it; returns the loss. */
export function robustStep(network: Network, optimiser: Optimiser, { size, seed }: { size: number; seed: number }): number {
  const options = defaultOptions('robust');
  const training = { network, optimiser, objective: objectiveOf('robust', options), options };
  return tf.tidy(() => takeStep(training, [noiseBatch(network, size, seed)], { learningRate: options.learningRate, step: 1 }));
}

/** A batch of uniform noise whose first half is to be perturbed. */
export function noiseBatch(network: Network, size: number, seed: number): Batch {
  const { next } = random(seed);
  const side = network.inputSize;
  const labels = Float32Array.from({ length: size * 14 }, () => (next() < 0.1 ? 1 : 0));
  return {
    x: tf.tensor4d(Float32Array.from({ length: size * side * side }, next), [size, side, side, 1]),
    y: tf.tensor2d(labels, [size, 14]),
    beta: batchBeta(labels),
    perturbed: Uint8Array.from({ length: size }, (_, index) => (index < Math.floor(size / 2) ? 1 : 0)),
    seed: String(seed),
  };
}
