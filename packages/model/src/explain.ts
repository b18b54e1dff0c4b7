import { FINDINGS } from '@cxr-lens/data';
import { readOut } from './engine/read-out.ts';
import { tf } from './engine/tensorflow.ts';
import type { Network } from './networks/network.ts';

// Copies of the image in one backward pass: at 224 x 224 the paper's network keeps about 0.3 GB for each.
const COPIES = 4;

/**
 * Saliency (Simonyan et al. 2013) before any scaling: d logit / d grey pixel, the sum over the three repeated channels, batch norm
 * by its moving averages.
 * @param x [1, S, S, 1], grey in [0, 1]
 * @param findings indices of logits; a few gradients come from one pass over a batch that repeats the image
 * @returns [S, S] for each finding
 */
export function inputGradients(network: Network, x: tf.Tensor4D, findings: readonly number[]): Float32Array[] {
  const area = network.inputSize ** 2;
  const gradients: Float32Array[] = [];
  for (let start = 0; start < findings.length; start += COPIES) {
    const part = findings.slice(start, start + COPIES);
    const values = readOut(() => {
      const repeated = tf.tile(x, [part.length, 1, 1, 1]);
      const chosen = tf.oneHot(tf.tensor1d(part, 'int32'), FINDINGS.length);
      // Images of a batch do not see each other in inference mode, so the sum's gradient is each one's own.
      const sum = (input: tf.Tensor): tf.Scalar => tf.sum(tf.mul(network.forward(input as tf.Tensor4D, 'inference').logits, chosen));
      return tf.grad(sum)(repeated).dataSync<'float32'>();
    });
    for (const [slot] of part.entries()) gradients.push(values.slice(slot * area, (slot + 1) * area));
  }
  return gradients;
}
