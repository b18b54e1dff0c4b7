import { random } from '@cxr-lens/data';
import { tf } from './engine/tensorflow.ts';
import { batchBeta, weightedBce } from './loss.ts';
import { type Batch, perturb } from './methods.ts';
import type { Network } from './networks/network.ts';
import type { Sgd } from './sgd.ts';
import { DEFAULT_TRAIN_OPTIONS } from './spec/index.ts';

/** One step of Robust on a seeded batch of noise, as the trainer takes it; returns the loss. */
export function robustStep(network: Network, optimiser: Sgd, { size, seed }: { size: number; seed: number }): number {
  return tf.tidy(() => {
    const batch = noiseBatch(network, size, seed);
    const x = perturb(network, batch, DEFAULT_TRAIN_OPTIONS);
    const { value, grads } = tf.variableGrads(
      () => weightedBce(network.forward(x, 'train').logits, batch.y, batch.beta),
      [...network.parameters.values()],
    );
    optimiser.apply(grads);
    return value.dataSync<'float32'>()[0]!;
  });
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
  };
}
