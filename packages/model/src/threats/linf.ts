import { tf } from '../engine/tensorflow.ts';
import { draws, type Epsilon, type Threat } from './threat.ts';

/**
 * Every pixel changes by at most epsilon and stays in [0, 1] (Eq. 2); a step goes along the sign of the gradient. A random start is
 * uniform, clipped to [0, 1] (Madry et al. 2018).
 * @param epsilon in pixels of [0, 1]
 */
export function linf(epsilon: Epsilon): Threat<tf.Tensor4D> {
  const project = (moved: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor4D =>
    tf.clipByValue(tf.minimum(tf.maximum(moved, tf.sub(x, epsilon)), tf.add(x, epsilon)), 0, 1);
  return {
    search: 'gradient',
    draw: (shape, random) => [draws(shape, () => 2 * random.next() - 1)],
    init: (x, drawn) => (drawn ? project(tf.add(x, tf.mul(drawn[0]!, epsilon)), x) : x),
    apply: (moved) => moved,
    step: (moved, gradient, share) => tf.add(moved, tf.mul(tf.sign(gradient), tf.mul(epsilon, share))),
    project,
  };
}
