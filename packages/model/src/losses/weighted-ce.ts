import { tf } from '../engine/tensorflow.ts';
import { bceLosses } from './bce.ts';

/**
 * W-CEL (Wang et al. 2017) of every image: -beta_P sum over positives of log f - beta_N sum over negatives of log(1 - f) with
 * beta_P = (P + N) / P and beta_N = (P + N) / N, which is Eq. 1 times (P + N) / N = 1 + 1 / beta. Where nothing is positive beta is 1
 * and the factor 2 [ours].
 * @param logits [B, 14]
 * @param labels [B, 14], 0 or 1
 * @param beta N / P of the batch
 * @returns [B]
 */
export function weightedCeLosses(logits: tf.Tensor2D, labels: tf.Tensor2D, beta: number | tf.Scalar): tf.Tensor1D {
  return tf.tidy(() => tf.mul(bceLosses(logits, labels, beta), tf.add(1, tf.div(1, beta))));
}
