import { tf } from './engine/tensorflow.ts';

/** What an attacker may do to an image, as three pure functions on [B, S, S, 1] in [0, 1]. */
export interface Threat {
  /** Where the attack starts. */
  init(x: tf.Tensor4D): tf.Tensor4D;
  /** One step up the gradient of the loss; `share` of the threat's size. */
  step(moved: tf.Tensor4D, gradient: tf.Tensor4D, share: number): tf.Tensor4D;
  /** The nearest allowed image. */
  project(moved: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor4D;
}

/** Every pixel changes by at most epsilon and stays in [0, 1] (Eq. 2); a step goes along the sign of the gradient. */
export function linf(epsilon: number): Threat {
  return {
    init: (x) => x,
    step: (moved, gradient, share) => tf.add(moved, tf.mul(tf.sign(gradient), epsilon * share)),
    project: (moved, x) => tf.clipByValue(tf.minimum(tf.maximum(moved, tf.sub(x, epsilon)), tf.add(x, epsilon)), 0, 1),
  };
}
