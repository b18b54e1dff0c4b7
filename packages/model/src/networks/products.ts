import { tf } from '../engine/tensorflow.ts';

/** What Li et al. (2018) do before the products of p and 1 - p over the patches: `mapped` takes each v as 0.98 + 0.02 v. */
export type Products = 'mapped' | 'raw';

const SHARE = 0.02;

/** Log of 1 - p, mapped or raw, of patches with the logits z. */
export function logAbsent<T extends tf.Tensor>(z: T, products: Products): T {
  // 0.98 + 0.02 (1 - p) = 1 - 0.02 p
  return products === 'mapped' ? tf.log1p(tf.mul(tf.sigmoid(z), -SHARE)) : tf.neg(tf.softplus(z));
}

/** Log of p, mapped or raw, of patches with the logits z. */
export function logPresent<T extends tf.Tensor>(z: T, products: Products): T {
  return logAbsent(tf.neg(z), products);
}

// Below, log(exp(A) - 1) is log A, and A the sum of exp(z), or of 0.02 exp(z), to float32's precision.
const RARE = 1e-6;

/**
 * Logits of p(y_k | x) = 1 - product over all patches of (1 - p_ij): log(exp(A) - 1) with A = - sum of log(1 - p_ij).
 * @param patches logits [B, P, P, 14]
 * @returns [B, 14], finite with a finite gradient for any finite patches
 */
export function imageLogits(patches: tf.Tensor4D, products: Products): tf.Tensor2D {
  const a = tf.maximum(tf.neg(tf.sum(logAbsent(patches, products), [1, 2])), RARE);
  const usual = tf.add(a, tf.log(tf.neg(tf.expm1(tf.neg(a)))));
  // log A from the logits themselves, as A may be smaller than any float; only what it lies below log RARE is added.
  const logA = tf.add(tf.logSumExp(patches, [1, 2]), products === 'mapped' ? Math.log(SHARE) : 0);
  return tf.add(usual, tf.minimum(tf.sub(logA, Math.log(RARE)), 0));
}
