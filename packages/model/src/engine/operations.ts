import { rawOp, tf } from './tensorflow.ts';

/** max(x, 0) with TensorFlow's own gradient, one operation where TF.js takes about eight. */
export function relu(x: tf.Tensor4D): tf.Tensor4D {
  return tf.customGrad((input, save) => {
    const [y] = rawOp('Relu', [input as tf.Tensor]);
    (save as tf.GradSaveFunc)([y!]);
    return { value: y!, gradFunc: (dy, saved) => rawOp('ReluGrad', [dy as tf.Tensor, (saved as tf.Tensor[])[0]!])[0]! };
  })(x) as tf.Tensor4D;
}

/**
 * Mean over height and width, [B, H, W, C] to [B, C]. Its gradient spreads a mean's share out, where TF.js's multiplies with a map of ones.
 */
export function meanOfMap(x: tf.Tensor4D): tf.Tensor2D {
  const [images, height, width, channels] = x.shape;
  return tf.customGrad((input) => {
    const gradFunc = (dy: tf.Tensor): tf.Tensor =>
      tf.tidy(() => {
        const share = tf.reshape(tf.div(dy, height * width), [images, 1, 1, channels]);
        return rawOp('BroadcastTo', [share, tf.tensor1d([images, height, width, channels], 'int32')])[0]!;
      });
    return { value: tf.mean(input as tf.Tensor4D, [1, 2]), gradFunc: (dy) => gradFunc(dy as tf.Tensor) };
  })(x) as tf.Tensor2D;
}

/**
 * Values of a list at places within it, without a gradient. TF.js's own gather reads every place first to see whether it is within.
 * @param values [N]
 * @param places of int32
 */
export function gather(values: tf.Tensor1D, places: tf.Tensor): tf.Tensor {
  return rawOp('GatherV2', [values, places, tf.scalar(0, 'int32')])[0]!;
}

/** What batch norm normalises with and what it learns, each [C]. */
export interface BatchNormState {
  scale: tf.Tensor;
  offset: tf.Tensor;
  /** Moving averages; the variance is the unbiased one, as PyTorch keeps it. */
  mean: tf.Variable;
  variance: tf.Variable;
}

// PyTorch's and the paper's networks' (method.md).
const EPSILON = 1e-5;

/** Mean and variance (divided by N) of each channel over a batch, each [C]; no gradient goes through them. */
export interface BatchStatistics {
  mean: tf.Tensor1D;
  variance: tf.Tensor1D;
}

/** @param x [B, H, W, C] */
export function statisticsOf(x: tf.Tensor4D): BatchStatistics {
  const channels = x.shape[3];
  return tf.tidy(() => {
    const [ones, zeros] = [tf.ones([channels]), tf.zeros([channels])];
    const outputs = rawOp('FusedBatchNormV3', [x, ones, zeros, zeros, ones], {
      outputs: 6,
      attributes: { ...OF_BATCH, exponential_avg_factor: 1 },
    });
    return { mean: outputs[3] as tf.Tensor1D, variance: outputs[4] as tf.Tensor1D };
  });
}

interface Pass {
  /** Share of this batch in the moving averages; null leaves them alone. */
  momentum: number | null;
  /** Of x, where they are known: its gradient goes through them all the same. */
  statistics?: BatchStatistics | undefined;
}

const OF_BATCH = { epsilon: EPSILON, data_format: 'NHWC', is_training: true };
const OF_AVERAGES = { ...OF_BATCH, is_training: false };

/**
 * Batch norm by the batch's own statistics: one fused operation, and one for its gradient.
 * @param x [B, H, W, C]
 */
export function batchNormOfBatch(x: tf.Tensor4D, { scale, offset, mean, variance }: BatchNormState, pass: Pass): tf.Tensor4D {
  const { momentum, statistics } = pass;
  return tf.customGrad((...args) => {
    const [input, gamma, beta, save] = args as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => batchNormGradient(dy, saved, OF_BATCH);
    if (statistics) {
      const of = statistics;
      const outputs = rawOp('FusedBatchNormV3', [input, gamma, beta, of.mean, of.variance], { outputs: 6, attributes: OF_AVERAGES });
      if (momentum !== null) {
        const count = x.size / x.shape[3];
        mean.assign(tf.add(tf.mul(mean, 1 - momentum), tf.mul(of.mean, momentum)));
        variance.assign(tf.add(tf.mul(variance, 1 - momentum), tf.mul(of.variance, (momentum * count) / (count - 1))));
      }
      save([input, gamma, of.mean, of.variance, outputs[5]!]);
      return { value: outputs[0]!, gradFunc };
    }
    // With a factor the operation mixes the unbiased variance of the batch into the averages that it is given.
    const outputs = rawOp('FusedBatchNormV3', [input, gamma, beta, mean, variance], {
      outputs: 6,
      attributes: { ...OF_BATCH, exponential_avg_factor: momentum ?? 1 },
    });
    const [y, newMean, newVariance, ...reserve] = outputs;
    if (momentum !== null) {
      mean.assign(newMean!);
      variance.assign(newVariance!);
    }
    save([input, gamma, ...reserve]);
    return { value: y!, gradFunc };
  })(x, scale, offset) as tf.Tensor4D;
}

/**
 * Batch norm by the moving averages.
 * @param x [B, H, W, C]
 */
export function batchNormOfAverages(x: tf.Tensor4D, { scale, offset, mean, variance }: BatchNormState): tf.Tensor4D {
  return tf.customGrad((...args) => {
    const [input, gamma, beta, save] = args as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const outputs = rawOp('FusedBatchNormV3', [input, gamma, beta, mean, variance], { outputs: 6, attributes: OF_AVERAGES });
    save([input, gamma, mean, variance, outputs[5]!]);
    return { value: outputs[0]!, gradFunc: (dy, saved) => batchNormGradient(dy as tf.Tensor, saved as tf.Tensor[], OF_AVERAGES) };
  })(x, scale, offset) as tf.Tensor4D;
}

/** Gradients of input, scale and offset. */
function batchNormGradient(
  dy: tf.Tensor,
  [x, scale, ...reserve]: tf.Tensor[],
  attributes: Record<string, boolean | number | string>,
): tf.Tensor[] {
  return rawOp('FusedBatchNormGradV3', [dy, x!, scale!, ...reserve], { outputs: 5, attributes }).slice(0, 3);
}
