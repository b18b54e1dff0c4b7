import { tf } from '../engine/tensorflow.ts';
import type { Layer, Layers } from './layers.ts';

/**
 * Convolution with a bias, which starts at zero. On maps of 1 x 1, with a kernel of 1, it is a dense layer.
 * @returns a step [B, H, W, from] to [B, H, W, to]
 */
export function biased(make: Layers, name: string, shape: { kernel: number; from: number; to: number }): Layer {
  const step = make.convolution(name, shape);
  const bias = tf.tidy(() => tf.variable(tf.zeros([shape.to])));
  make.parameters.set(`network.${name}.bias`, bias);
  return (x, mode) => tf.add(step(x, mode), bias);
}

/** Nearest neighbour: [B, H, W, C] to [B, 2H, 2W, C]. */
export function upsampled(x: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = x.shape;
  return tf.image.resizeNearestNeighbor(x, [2 * height, 2 * width]);
}
