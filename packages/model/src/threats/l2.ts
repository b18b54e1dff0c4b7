import { tf } from '../engine/tensorflow.ts';
import { drawn, length, type Threat, unit } from './threat.ts';

/**
 * An image changes by at most epsilon in the root mean square of its pixels, which stay in [0, 1]; a step goes along the gradient. The
 * ball's radius is epsilon * S: one epsilon means the same at every input size [ours]. A random start is uniform in the ball, clipped.
 * @param epsilon root mean square in pixels of [0, 1]
 */
export function l2(epsilon: number): Threat<tf.Tensor4D> {
  const radius = ([, height, width]: tf.Tensor4D['shape']): number => epsilon * Math.sqrt(height * width);

  // Onto the ball, then into [0, 1]: x lies in [0, 1], so that clipping only brings a pixel nearer to it and the ball is not left.
  function project(moved: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor4D {
    const delta = tf.sub(moved, x) as tf.Tensor4D;
    const kept = tf.minimum(1, tf.divNoNan(radius(x.shape), length(delta)));
    return tf.clipByValue(tf.add(x, tf.mul(delta, kept)), 0, 1);
  }

  return {
    search: 'gradient',
    init(x, draw) {
      if (!draw) return x;
      const [images, height, width] = x.shape;
      const direction = unit(drawn<tf.Rank.R4>(x.shape, draw.normal));
      // The volume within r grows with r ** (number of pixels).
      const distance = drawn<tf.Rank.R4>([images, 1, 1, 1], () => radius(x.shape) * draw.next() ** (1 / (height * width)));
      return project(tf.add(x, tf.mul(direction, distance)), x);
    },
    apply: (moved) => moved,
    step: (moved, gradient, share) => tf.add(moved, tf.mul(unit(gradient), share * radius(moved.shape))),
    project,
  };
}
