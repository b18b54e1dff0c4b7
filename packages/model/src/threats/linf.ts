import { tf } from '../engine/tensorflow.ts';
import { drawn, type Threat } from './threat.ts';

/**
 * Every pixel changes by at most epsilon and stays in [0, 1] (Eq. 2); a step goes along the sign of the gradient. A random start is
 * uniform, clipped to [0, 1] (Madry et al. 2018).
 * @param epsilon in pixels of [0, 1]
 */
export function linf(epsilon: number): Threat<tf.Tensor4D> {
  const project = (moved: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor4D =>
    tf.clipByValue(tf.minimum(tf.maximum(moved, tf.sub(x, epsilon)), tf.add(x, epsilon)), 0, 1);
  return {
    search: 'gradient',
    init: (x, draw) =>
      draw
        ? project(
            tf.add(
              x,
              drawn(x.shape, () => epsilon * (2 * draw.next() - 1)),
            ),
            x,
          )
        : x,
    apply: (moved) => moved,
    step: (moved, gradient, share) => tf.add(moved, tf.mul(tf.sign(gradient), epsilon * share)),
    project,
  };
}
