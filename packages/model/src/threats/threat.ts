import type { Random } from '@cxr-lens/data';
import type { HostArray } from '../engine/host-array.ts';
import { tf } from '../engine/tensorflow.ts';

/**
 * What an attacker may do to an image x [B, S, S, 1] in [0, 1], as pure functions on a state: the changed image itself, or the numbers
 * that change it. All work image by image; none depends on the other images of the batch.
 */
export interface Threat<State extends tf.Tensor = tf.Tensor> {
  /** How its worst case is found: up the gradient, or by trying, where the gradient leads nowhere (rotations: Engstrom et al. 2019). */
  readonly search: 'gradient' | 'sampling';
  /** The random numbers of a start, for images of that shape. */
  draw(shape: tf.Tensor4D['shape'], random: Random): HostArray[];
  /** Where an attack starts: at the image (`null`), or, by what was drawn, anywhere in all that is allowed. */
  init(x: tf.Tensor4D, drawn: readonly tf.Tensor[] | null): State;
  /** The images of a state: [B, S, S, 1], with a gradient with respect to the state. */
  apply(state: State, x: tf.Tensor4D): tf.Tensor4D;
  /** One step up the gradient of the loss with respect to the state; `share` of the threat's size. */
  step(state: State, gradient: State, share: number): State;
  /** An allowed state near this one, and the state itself where it is allowed. */
  project(state: State, x: tf.Tensor4D): State;
}

/** The size of a threat: a number, or a tensor of it where one graph serves every size. */
export type Epsilon = number | tf.Scalar;

/** Independent draws, in the order of the values. */
export function draws(shape: readonly number[], sample: () => number): HostArray {
  const data = new Float32Array(tf.util.sizeFromShape([...shape]));
  for (let index = 0; index < data.length; index++) data[index] = sample();
  return { shape, data };
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
