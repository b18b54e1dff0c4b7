import type { tf } from '../engine/tensorflow.ts';

/**
 * What batch norm does, always said at the call:
 * - `train`: the batch's statistics, and the moving averages take their share of them
 * - `frozen-batch`: the batch's statistics, the moving averages stay as they are (inside an attack)
 * - `inference`: the moving averages
 */
export type Mode = 'train' | 'frozen-batch' | 'inference';

/** What a forward pass gives: the CAM is the head applied to the features before they are pooled. */
interface Output {
  /** [B, h, w, C], after the last ReLU. */
  features: tf.Tensor4D;
  /** [B, 14], findings in their order, no sigmoid. */
  logits: tf.Tensor2D;
}

export interface Network {
  name: string;
  /** Side S of the square input in pixels. */
  inputSize: number;
  /** [h, w, C] of the features. */
  featureShape: readonly [number, number, number];
  /** Trainable, under `network.<layer>.<parameter>`. */
  parameters: ReadonlyMap<string, tf.Variable>;
  /** Moving mean and variance of batch norm, under `network.<layer>.<parameter>`. */
  statistics: ReadonlyMap<string, tf.Variable>;
  /** @param x [B, S, S, 1], grey in [0, 1]; normalisation is the network's first step */
  forward(x: tf.Tensor4D, mode: Mode): Output;
  /** The head's weights, [C, 14]; the network's own, not to be disposed. */
  headWeights(): tf.Tensor2D;
  dispose(): void;
}
