import { attack, type Losses } from './attack.ts';
import { tf } from './engine/tensorflow.ts';
import { gradientPenalty, penaltyDirection } from './gradient-penalty.ts';
import { bceLosses } from './losses/bce.ts';
import { weightedCeLosses } from './losses/weighted-ce.ts';
import type { Mode, Network } from './networks/network.ts';
import { METHODS, type MethodName, type TrainOptions } from './spec/index.ts';
import { attackOptions, threatOf } from './threats/threats.ts';

/** One training step's images. */
export interface Batch {
  /** [B, S, S, 1], grey in [0, 1]. */
  x: tf.Tensor4D;
  /** [B, 14], 0 or 1. */
  y: tf.Tensor2D;
  /** beta of Eq. 1 of the whole batch, also inside the attack. */
  beta: number;
  /** [B], 1 where the image may be perturbed. */
  perturbed: Uint8Array;
  /** Of what the perturbation draws at random. */
  seed: string;
}

/** What a method minimises, of every image: from logits and labels [B, 14] to [B]. Trainer and validation take the mean. */
export type Objective = (logits: tf.Tensor2D, labels: tf.Tensor2D, beta: number) => tf.Tensor1D;

const OBJECTIVES = {
  bce: bceLosses,
  'weighted-ce': weightedCeLosses,
} as const satisfies Record<string, Objective>;

export function objectiveOf(method: MethodName): Objective {
  return OBJECTIVES[METHODS[method].loss];
}

/**
 * The images that a step sees: as they are, or (Eq. 3) with the chosen ones replaced by attacked ones. The attack's forward pass sees
 * the whole batch.
 */
export function stepInputs(
  network: Network,
  batch: Batch,
  { objective, options }: { objective: Objective; options: TrainOptions },
): tf.Tensor4D {
  const { x, perturbed, seed } = batch;
  if (options.perturbation === 'none') return x;
  return tf.tidy(() => {
    const mode = options.attackBatchNorm === 'batch' ? 'frozen-batch' : 'inference';
    const losses = lossesOf(network, batch, { objective, mode });
    const moved = attack(losses, x, threatOf(options), { ...attackOptions(options), keep: 'last', seed });
    const chosen = tf.tensor4d(perturbed, [perturbed.length, 1, 1, 1], 'bool');
    return tf.where(chosen, moved, x);
  });
}

/** The objective of the batch's labels as a function of its images. */
export function lossesOf(
  network: Network,
  { y, beta }: Pick<Batch, 'y' | 'beta'>,
  { objective, mode }: { objective: Objective; mode: Mode },
): Losses {
  return (input) => objective(network.forward(input, mode).logits, y, beta);
}

// Euclidean length of the displaced image's change [ours]: small beside a radiograph's contrast, large beside float32's rounding.
const PENALTY_STEP = 0.1;

/**
 * The loss of a step as a function of the weights: the objective's mean over the images that the step sees, and where it is asked for
 * the input-gradient penalty, by the batch's statistics.
 */
export function stepLoss(
  network: Network,
  batch: Pick<Batch, 'x' | 'y' | 'beta'>,
  { objective, options }: { objective: Objective; options: TrainOptions },
): () => tf.Scalar {
  const { x } = batch;
  const train = lossesOf(network, batch, { objective, mode: 'train' });
  if (options.gradientPenalty === 0) return () => tf.mean(train(x));
  const frozen = lossesOf(network, batch, { objective, mode: 'frozen-batch' });
  const direction = penaltyDirection(frozen, x);
  return () => {
    const here = train(x);
    const penalty = gradientPenalty(frozen, x, { direction, step: PENALTY_STEP, here });
    return tf.mean(tf.add(here, tf.mul(penalty, options.gradientPenalty)));
  };
}
