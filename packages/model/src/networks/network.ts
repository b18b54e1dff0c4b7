import type { tf } from '../engine/tensorflow.ts';

/**
 * What batch norm does, always said at the call:
 * - `train`: the batch's statistics, and the moving averages take their share of them
 * - `frozen-batch`: the batch's statistics, the moving averages stay as they are (inside an attack)
 * - `inference`: the moving averages
 */
export type Mode = 'train' | 'frozen-batch' | 'inference';

/** What every network is built with. */
export interface NetworkOptions {
  /** Mean and standard deviation of the pixels in [0, 1], the network's first step: of all three channels, or of each (ImageNet's). */
  mean: number | readonly [number, number, number];
  std: number | readonly [number, number, number];
  /** Of the initial weights; null: zeros, for a network whose weights are set before its first use. */
  seed: number | null;
  /** Share of a batch's statistics in the moving averages; 0.1 as PyTorch. */
  runningMomentum?: number;
}

/** What a forward pass gives. */
export interface Output {
  /** [B, h, w, C], the last feature map before it is pooled: what a CAM is made of. */
  features: tf.Tensor4D;
  /** [B, 14], findings in their order, no sigmoid. */
  logits: tf.Tensor2D;
  /** Supervised: logits of the patches, [B, P, P, 14]. */
  patches?: tf.Tensor4D;
  /** Generative: the code's distribution, [B, L] each. */
  latent?: { mean: tf.Tensor2D; logVariance: tf.Tensor2D };
  /** Generative: the image decoded from the code, [B, S, S, 1] in [0, 1]. */
  decoded?: tf.Tensor4D;
}

/** How a network shows where it saw a finding. */
export type Evidence =
  /** The head's weights, [C, 14], applied to the features before they are pooled; the network's own, not to be disposed. */
  | { kind: 'cam'; headWeights(): tf.Tensor2D }
  /** The patches' scores, sigmoid of `Output.patches`. */
  | { kind: 'patches' }
  /** The difference of images decoded along a walk through the codes: [B, L] to [B, S, S, 1], and to logits [B, 14]. */
  | { kind: 'walk'; decode(code: tf.Tensor2D): tf.Tensor4D; classify(code: tf.Tensor2D): tf.Tensor2D };

export interface Network {
  name: string;
  /** All that decides what it computes but its variables' values; left out, its graphs are not kept on disk. */
  key?: string;
  /** Of its predictions, where the machine multiplies bfloat16 itself; left out, float32. */
  precision?: 'float32' | 'bfloat16';
  /** Side S of the square input in pixels. */
  inputSize: number;
  /** [h, w, C] of the features. */
  featureShape: readonly [number, number, number];
  /** Trainable, under `network.<layer>.<parameter>`. */
  parameters: ReadonlyMap<string, tf.Variable>;
  /** Moving mean and variance of batch norm, under `network.<layer>.<parameter>`. */
  statistics: ReadonlyMap<string, tf.Variable>;
  evidence: Evidence;
  /** L of the standard normal noise that a training pass takes; 0 for all but Generative. */
  noiseSize: number;
  /**
   * @param x [B, S, S, 1], grey in [0, 1]; normalisation is the network's first step
   * @param noise [B, noiseSize]; left out, the code is its mean
   */
  forward(x: tf.Tensor4D, mode: Mode, noise?: tf.Tensor2D): Output;
  dispose(): void;
}
