import { tf } from '../engine/tensorflow.ts';

/**
 * Weighted binary cross entropy (Eq. 1) of every image: the sum over the findings, from logits.
 * @param logits [B, 14]
 * @param labels [B, 14], 0 or 1
 * @param beta weight of the positive labels: negatives / positives of the batch
 * @returns [B]
 */
export function bceLosses(logits: tf.Tensor2D, labels: tf.Tensor2D, beta: number | tf.Scalar): tf.Tensor1D {
  return tf.tidy(() => {
    // -log f = softplus(-z) and -log(1 - f) = softplus(z): no logarithm of a rounded zero.
    const positive = tf.mul(tf.mul(labels, tf.softplus(tf.neg(logits))), beta);
    const negative = tf.mul(tf.sub(1, labels), tf.softplus(logits));
    return tf.sum(tf.add(positive, negative), 1);
  });
}

/** beta of Eq. 1: negative / positive labels, one number over all of them; 1 where none is positive. */
export function batchBeta(labels: ArrayLike<number>): number {
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i]!;
  return positives === 0 ? 1 : (labels.length - positives) / positives;
}
