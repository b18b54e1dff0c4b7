import { tf } from '../engine/tensorflow.ts';

interface ClassWeights {
  /** beta_P, of the positive labels. */
  positive: number;
  /** beta_N, of the negative labels. */
  negative: number;
}

/**
 * W-CEL (Wang et al. 2017, section 3.2): - beta_P sum over positives of log f - beta_N sum over negatives of log(1 - f), from logits.
 * @param logits [B, 14]
 * @param y [B, 14], 0 or 1
 * @returns [B], each image's own sum over the findings
 */
export function weightedCeLosses(logits: tf.Tensor2D, y: tf.Tensor2D, { positive, negative }: ClassWeights): tf.Tensor1D {
  return tf.tidy(() => {
    // -log f = softplus(-z) and -log(1 - f) = softplus(z): no logarithm of a rounded zero.
    const present = tf.mul(tf.mul(y, tf.softplus(tf.neg(logits))), positive);
    const absent = tf.mul(tf.mul(tf.sub(1, y), tf.softplus(logits)), negative);
    return tf.sum(tf.add(present, absent), 1);
  });
}

/**
 * beta_P = (P + N) / P and beta_N = (P + N) / N, P positive and N negative of all labels given. Where one of them is 0, its weight has
 * nothing to weigh and is 1, as the other's then is.
 */
export function classWeights(labels: ArrayLike<number>): ClassWeights {
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i]!;
  const weight = (count: number): number => (count === 0 ? 1 : labels.length / count);
  return { positive: weight(positives), negative: weight(labels.length - positives) };
}
