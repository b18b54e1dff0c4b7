import { tf } from '../engine/tensorflow.ts';
import { draws, type Epsilon, length, type Threat, unit } from './threat.ts';

/**
 * An image changes by at most epsilon in the root mean square of its pixels, which stay in [0, 1]; a step goes along the gradient. The
 * ball's radius is epsilon * S: one epsilon means the same at every input size [ours]. A random start is uniform in the ball, clipped.
 * @param epsilon root mean square in pixels of [0, 1]
 */
export function l2(epsilon: Epsilon): Threat<tf.Tensor4D> {
  const radius = ([, height, width]: tf.Tensor4D['shape']): tf.Scalar => tf.mul(epsilon, Math.sqrt(height * width));

  // Onto the ball, then into [0, 1]: x lies in [0, 1], so that clipping only brings a pixel nearer to it and the ball is not left.
  function project(moved: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor4D {
    const delta = tf.sub(moved, x) as tf.Tensor4D;
    const kept = tf.minimum(1, tf.divNoNan(radius(x.shape), length(delta)));
    return tf.clipByValue(tf.add(x, tf.mul(delta, kept)), 0, 1);
  }

  return {
    search: 'gradient',
    draw: ([images, height, width, channels], random) => [
      draws([images, height, width, channels], random.normal),
      // The volume within r grows with r ** (number of pixels).
      draws([images, 1, 1, 1], () => random.next() ** (1 / (height * width))),
    ],
    init(x, drawn) {
      if (!drawn) return x;
      const [direction, distance] = drawn as [tf.Tensor4D, tf.Tensor4D];
      return project(tf.add(x, tf.mul(unit(direction), tf.mul(distance, radius(x.shape)))), x);
    },
    apply: (moved) => moved,
    step: (moved, gradient, share) => tf.add(moved, tf.mul(unit(gradient), tf.mul(radius(moved.shape), share))),
    project,
  };
}
