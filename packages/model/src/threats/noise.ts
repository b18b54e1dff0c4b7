import { tf } from '../engine/tensorflow.ts';
import { draws, type Epsilon, type Threat } from './threat.ts';

/**
 * Not an attack but its plain control: Gaussian noise that no gradient has seen, clipped to [0, 1]. Only a random start changes anything.
 * @param epsilon standard deviation in pixels of [0, 1], so that noise and `l2(epsilon)` are of one size
 */
export function gaussianNoise(epsilon: Epsilon): Threat<tf.Tensor4D> {
  return {
    search: 'sampling',
    draw: (shape, random) => [draws(shape, random.normal)],
    init: (x, drawn) => (drawn ? tf.clipByValue(tf.add(x, tf.mul(drawn[0]!, epsilon)), 0, 1) : x),
    apply: (moved) => moved,
    step: (moved) => moved,
    project: (moved) => moved,
  };
}
