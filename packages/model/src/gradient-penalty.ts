import type { Losses } from './attack.ts';
import { tf } from './engine/tensorflow.ts';
import { unit } from './threats/threat.ts';

/**
 * The direction in which each image's loss rises fastest, of length 1 (all zero where the loss is flat): [B, S, S, 1]. Computed outside
 * of the weights' gradient, where it is a constant.
 * @param x [B, S, S, 1]
 */
export function penaltyDirection(losses: Losses, x: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => unit(tf.grad((input) => tf.sum(losses(input as tf.Tensor4D)))(tf.clone(x)) as tf.Tensor4D));
}

export interface PenaltyOptions {
  /** What `penaltyDirection` gave. */
  direction: tf.Tensor4D;
  /** Length of the finite difference: the Euclidean length of the change of the whole image, pixels in [0, 1]. */
  step: number;
  /** [B], the losses at x, which the training step has anyhow. */
  here: tf.Tensor1D;
}

/**
 * Half the squared length of dL/dx of each image, [B], in loss per unit of Euclidean length, pixels in [0, 1]: with a factor added to
 * the loss, Finlay and Oberman's input-gradient penalty (2019, "Scaleable input gradient regularization for adversarial robustness").
 * The length is a forward difference along the gradient, so that the weights' gradient needs no second derivative: the fused operations
 * have none. The displaced image may leave [0, 1] by less than the step.
 * @param x [B, S, S, 1]
 */
export function gradientPenalty(losses: Losses, x: tf.Tensor4D, { direction, step, here }: PenaltyOptions): tf.Tensor1D {
  const there = losses(tf.add(x, tf.mul(direction, step)));
  return tf.mul(tf.square(tf.div(tf.sub(there, here), step)), 0.5);
}
