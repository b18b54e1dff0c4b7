import { attack, type Losses } from './attack.ts';
import { tf } from './engine/tensorflow.ts';
import { gradientPenalty, penaltyDirection } from './gradient-penalty.ts';
import { bceLosses } from './losses/bce.ts';
import { generativeLosses } from './losses/elbo.ts';
import { patchLosses } from './losses/patch.ts';
import { weightedCeLosses } from './losses/weighted-ce.ts';
import type { Mode, Network, Output } from './networks/network.ts';
import { METHODS, type MethodInfo, type MethodName, type TrainOptions } from './spec/index.ts';
import { attackOptions, threatOf } from './threats/threats.ts';

/** What a loss is computed with, at any images. */
export interface Targets {
  /** [B, 14], 0 or 1. */
  y: tf.Tensor2D;
  /** beta of Eq. 1 of the whole batch, also inside the attack. */
  beta: number | tf.Scalar;
  /** Supervised: [B, P, P, 14], 1 where a patch overlaps the box of that finding; left out, no image has a box. */
  boxes?: tf.Tensor4D | undefined;
  /** Generative: [B, L], of the codes; left out, a code is its mean. */
  noise?: tf.Tensor2D | undefined;
  /** Generative: w of this step; left out, the warm-up is over. */
  warmUp?: tf.Scalar | undefined;
}

/** One training step's images. */
export interface Batch extends Targets {
  /** [B, S, S, 1], grey in [0, 1]. */
  x: tf.Tensor4D;
  /** Of the images that may be perturbed, by what size, and from where; left out, none is. */
  perturbation?: Perturbation | undefined;
}

interface Perturbation {
  /** [B] of bool. */
  chosen: tf.Tensor1D;
  epsilon: tf.Scalar;
  /** What the threat has drawn for each candidate; null starts at the image. */
  starts: readonly (readonly tf.Tensor[] | null)[];
}

/** What a method minimises, of every image: from what the network gives for the images x to [B]. Trainer and validation take the mean. */
export type Objective = (output: Output, targets: Targets & { x: tf.Tensor4D }) => tf.Tensor1D;

const OBJECTIVES: Record<MethodInfo['loss'], (...given: [...Parameters<Objective>, TrainOptions]) => tf.Tensor1D> = {
  bce: ({ logits }, { y, beta }) => bceLosses(logits, y, beta),
  'weighted-ce': ({ logits }, { y, beta }) => weightedCeLosses(logits, y, beta),
  patches: ({ patches }, { y, boxes = null }, { boxWeight, patchProducts }) =>
    patchLosses(patches!, y, { boxes, boxWeight, products: patchProducts }),
  elbo: (output, { x, y, beta, warmUp = 1 }) => generativeLosses(output, x, { y, beta, warmUp }),
};

export function objectiveOf(method: MethodName, options: TrainOptions): Objective {
  const losses = OBJECTIVES[METHODS[method].loss];
  return (output, targets) => losses(output, targets, options);
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
  const { x, perturbation } = batch;
  if (!perturbation) return x;
  const { chosen, epsilon, starts } = perturbation;
  return tf.tidy(() => {
    const mode = options.attackBatchNorm === 'batch' ? 'frozen-batch' : 'inference';
    const losses = lossesOf(network, batch, { objective, mode });
    const { steps } = attackOptions(options);
    const moved = attack(losses, x, threatOf({ ...options, epsilon }), { steps, keep: 'last', starts });
    return tf.where(tf.reshape(chosen, [-1, 1, 1, 1]), moved, x);
  });
}

/** The objective of the batch's targets as a function of its images. */
export function lossesOf(network: Network, targets: Targets, { objective, mode }: { objective: Objective; mode: Mode }): Losses {
  return (x) => objective(network.forward(x, mode, targets.noise), { ...targets, x });
}

// Euclidean length of the displaced image's change [ours]: small beside a radiograph's contrast, large beside float32's rounding.
const PENALTY_STEP = 0.1;

/**
 * The loss of a step as a function of the weights: the objective's mean over the images that the step sees, and where it is asked for
 * the input-gradient penalty, by the batch's statistics.
 */
export function stepLoss(
  network: Network,
  batch: Targets & Pick<Batch, 'x'>,
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
