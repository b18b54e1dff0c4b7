import { tf } from './engine/tensorflow.ts';
import type { Network } from './networks/network.ts';

/**
 * Saliency (Simonyan et al. 2013) before any scaling: d logit / d grey pixel, the sum over the three repeated channels, batch norm
 * by its moving averages.
 * @param x [1, S, S, 1], grey in [0, 1]
 * @param findings indices of logits; all gradients come from one pass over a batch that repeats the image
 * @returns [S, S] for each finding
 */
export function inputGradients(network: Network, x: tf.Tensor4D, findings: readonly number[]): Float32Array[] {
  const area = network.inputSize ** 2;
  const values = tf.tidy(() => {
    const repeated = tf.tile(x, [findings.length, 1, 1, 1]);
    const chosen = tf.oneHot(tf.tensor1d([...findings], 'int32'), network.headWeights().shape[1]);
    // Images of a batch do not see each other in inference mode, so the sum's gradient is each one's own.
    const sum = (input: tf.Tensor): tf.Scalar => tf.sum(tf.mul(network.forward(input as tf.Tensor4D, 'inference').logits, chosen));
    return tf.grad(sum)(repeated).dataSync<'float32'>();
  });
  return findings.map((_, index) => values.slice(index * area, (index + 1) * area));
}
