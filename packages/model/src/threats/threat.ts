import type { Random } from '@cxr-lens/data';
import { tf } from '../engine/tensorflow.ts';

/**
 * What an attacker may do to an image x [B, S, S, 1] in [0, 1], as pure functions on a state: the changed image itself, or the numbers
 * that change it. All work image by image; none depends on the other images of the batch.
 */
export interface Threat<State extends tf.Tensor = tf.Tensor> {
  /** How its worst case is found: up the gradient, or by trying, where the gradient leads nowhere (rotations: Engstrom et al. 2019). */
  readonly search: 'gradient' | 'sampling';
  /** Where an attack starts: at the image (`null`), or drawn at random from all that is allowed. */
  init(x: tf.Tensor4D, draw: Random | null): State;
  /** The images of a state: [B, S, S, 1], with a gradient with respect to the state. */
  apply(state: State, x: tf.Tensor4D): tf.Tensor4D;
  /** One step up the gradient of the loss with respect to the state; `share` of the threat's size. */
  step(state: State, gradient: State, share: number): State;
  /** An allowed state near this one, and the state itself where it is allowed. */
  project(state: State, x: tf.Tensor4D): State;
}

/** A tensor of independent draws, in the order of its values. */
export function drawn<R extends tf.Rank>(shape: tf.ShapeMap[R], sample: () => number): tf.Tensor<R> {
  const values = new Float32Array(tf.util.sizeFromShape(shape));
  for (let index = 0; index < values.length; index++) values[index] = sample();
  return tf.tensor(values, shape);
}

/**
 * Each image's values divided by their Euclidean length; all zero stays zero.
 * @param values [B, S, S, 1]
 */
export function unit(values: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    // A saturated image's gradient may be so small that its square is no float32: first to a greatest value of 1.
    const scaled = tf.divNoNan(values, tf.max(tf.abs(values), [1, 2, 3], true));
    return tf.divNoNan(scaled, length(scaled as tf.Tensor4D));
  });
}

/** Euclidean length of each image's values: [B, S, S, 1] to [B, 1, 1, 1]. */
export function length(values: tf.Tensor4D): tf.Tensor4D {
  return tf.sqrt(tf.sum(tf.square(values), [1, 2, 3], true));
}
