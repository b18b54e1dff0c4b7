import { tf } from '../engine/tensorflow.ts';
import { draws, type Threat } from './threat.ts';
import { warp } from './warp.ts';

/** The largest motions. */
export interface SpatialLimits {
  /** Degrees either way. */
  rotation?: number;
  /** Share of the side, either way on both axes. */
  translation?: number;
}

/**
 * An image is rotated about its centre and shifted (Engstrom et al. 2019). The state is angle, dx and dy, [B, 3] in units of their
 * limits: within [-1, 1]. A step goes along the sign of the gradient [ours]; a random start is uniform.
 */
export function spatial({ rotation = 15, translation = 0.1 }: SpatialLimits = {}): Threat<tf.Tensor2D> {
  const limits = [(rotation * Math.PI) / 180, translation, translation];
  return {
    search: 'sampling',
    draw: ([images], random) => [draws([images, 3], () => 2 * random.next() - 1)],
    init: ({ shape: [images] }, drawn) => (drawn ? (drawn[0] as tf.Tensor2D) : tf.zeros([images, 3])),
    apply: (state, x) =>
      tf.tidy(() => {
        const [angle, dx, dy] = tf.unstack(tf.mul(state, limits), 1) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
        return warp(x, { angle, dx, dy });
      }),
    step: (state, gradient, share) => tf.add(state, tf.mul(tf.sign(gradient), share)),
    project: (state) => tf.clipByValue(state, -1, 1),
  };
}
