import { meanOfMap } from '../engine/operations.ts';
import { tf } from '../engine/tensorflow.ts';

/** How a map becomes one value a channel. */
export type Pooling = 'lse' | 'max' | 'average';

/**
 * Pools each channel over the positions: [B, H, W, C] to [B, C].
 * @param lseSharpness r of `lse`: towards 0 the average, towards infinity the maximum
 */
export function globalPool(x: tf.Tensor4D, { pooling, lseSharpness }: { pooling: Pooling; lseSharpness: number }): tf.Tensor2D {
  if (pooling === 'average') return meanOfMap(x);
  return pooling === 'max' ? globalMaxPool(x) : logSumExpPool(x, lseSharpness);
}

/** The maximum; among equal values the first takes all the gradient. */
function globalMaxPool(x: tf.Tensor4D): tf.Tensor2D {
  // The gradient of tf.max would give every one of the equal values all of it: after a ReLU a whole dead channel.
  const [, height, width, channels] = x.shape;
  return tf.reshape(tf.maxPool(x, [height, width], 1, 'valid'), [-1, channels]);
}

/** x* + (1/r) log mean exp(r (x - x*)), x* the maximum (Wang et al. 2017, section 3.2): no exponential exceeds 1. */
function logSumExpPool(x: tf.Tensor4D, sharpness: number): tf.Tensor2D {
  return tf.customGrad((input, save) => {
    const map = input as tf.Tensor4D;
    const highest = tf.max(map, [1, 2], true);
    const exponentials = tf.exp(tf.mul(tf.sub(map, highest), sharpness));
    (save as tf.GradSaveFunc)([exponentials]);
    const value = tf.add(tf.squeeze(highest, [1, 2]), tf.div(tf.log(tf.mean(exponentials, [1, 2])), sharpness));
    return { value, gradFunc: (dy, saved) => logSumExpGradient(dy as tf.Tensor2D, (saved as tf.Tensor4D[])[0]!) };
  })(x) as tf.Tensor2D;
}

/** softmax(r x) over the positions: x* takes no part, as its two terms cancel. */
function logSumExpGradient(dy: tf.Tensor2D, exponentials: tf.Tensor4D): tf.Tensor4D {
  const shares = tf.div(exponentials, tf.sum(exponentials, [1, 2], true));
  return tf.mul(shares, tf.reshape(dy, [-1, 1, 1, exponentials.shape[3]]));
}
