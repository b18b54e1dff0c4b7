import { attack } from './attack.ts';
import { tf } from './engine/tensorflow.ts';
import { weightedBce } from './loss.ts';
import type { Network } from './networks/network.ts';
import type { MethodName, TrainOptions } from './spec/index.ts';
import { linf } from './threats.ts';

/** One training step's images. */
export interface Batch {
  /** [B, S, S, 1], grey in [0, 1]. */
  x: tf.Tensor4D;
  /** [B, 14], 0 or 1. */
  y: tf.Tensor2D;
  /** beta of Eq. 1 of the whole batch, also inside the attack. */
  beta: number;
  /** [B], 1 where the image may be perturbed. */
  perturbed: Uint8Array;
}

/** What a method minimises; the trainer is the same for all. */
export interface Objective {
  /** The images that the step sees, outside of the gradient of the weights: [B, S, S, 1]. */
  inputs(network: Network, batch: Batch, options: TrainOptions): tf.Tensor4D;
  /** Scalar, from logits [B, 14]; the validation loss is the same over the whole validation set. */
  loss(logits: tf.Tensor2D, labels: tf.Tensor2D, beta: number): tf.Scalar;
}

export const OBJECTIVES = {
  /** Eq. 1 on the images as they are. */
  baseline: { inputs: (_network, { x }) => x, loss: weightedBce },
  /** Eq. 3: Eq. 1 with half of the batch moved to where the loss is greater. */
  robust: { inputs: perturb, loss: weightedBce },
} as const satisfies Record<MethodName, Objective>;

/** The batch with its chosen images replaced by attacked ones; the attack's forward pass sees the whole batch. */
export function perturb(network: Network, { x, y, beta, perturbed }: Batch, options: TrainOptions): tf.Tensor4D {
  return tf.tidy(() => {
    const mode = options.attackBatchNorm === 'batch' ? 'frozen-batch' : 'inference';
    const loss = (input: tf.Tensor4D): tf.Scalar => weightedBce(network.forward(input, mode).logits, y, beta);
    const moved = attack(loss, x, linf(options.epsilon), options.attackSteps);
    const chosen = tf.tensor4d(perturbed, [perturbed.length, 1, 1, 1], 'bool');
    return tf.where(chosen, moved, x);
  });
}
