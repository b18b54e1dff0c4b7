import { FINDINGS, type PreparedData } from '@cxr-lens/data';
import { auc, meanAuc } from '@cxr-lens/eval';
import { tf } from './engine/tensorflow.ts';
import { columnOf, imageBatch, labelsOf } from './images.ts';
import { batchBeta } from './loss.ts';
import { perturb } from './methods.ts';
import type { Network } from './networks/network.ts';
import { perturbedHalf } from './order.ts';
import { forBatches, type PredictOptions, predictLogits } from './predict.ts';
import type { TrainOptions } from './spec/index.ts';

/** The validation images in their fixed order, with beta of Eq. 1 once over all of them. */
export interface ValidationSet {
  rows: number[];
  /** [rows.length * 14] */
  labels: Uint8Array;
  beta: number;
}

export interface ValidationResult {
  loss: number;
  /** Null where the method perturbs nothing. */
  perturbedLoss: number | null;
  auc: number | null;
}

export function validationSet(data: PreparedData, positiveWeight: TrainOptions['positiveWeight']): ValidationSet {
  const rows = data.rows('validation');
  const labels = labelsOf(data, rows);
  return { rows, labels, beta: positiveWeight === 'batch' ? batchBeta(labels) : 1 };
}

/**
 * Eq. 1 over a whole set, in double precision: the sum over the findings, mean over the images.
 * @param logits [N * 14]
 * @param labels [N * 14]
 */
export function setLoss(logits: Float32Array, labels: Uint8Array, beta: number): number {
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += labels[i] === 1 ? beta * softplus(-logits[i]!) : softplus(logits[i]!);
  return (total * FINDINGS.length) / logits.length;
}

/** log(1 + e^z) without overflow. */
function softplus(z: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

/** Mean AUC over the findings that have both classes; null when none has. */
export function tableAuc(logits: Float32Array, labels: Uint8Array): number | null {
  return meanAuc(FINDINGS.map((_, finding) => auc(columnOf(logits, finding), columnOf(labels, finding))));
}

/** Losses and AUC of the validation set: fixed order, moving averages, beta once over the whole set. CxrError CANCELLED. */
export async function validate(
  network: Network,
  data: PreparedData,
  set: ValidationSet,
  options: PredictOptions & { train: TrainOptions; adversarial: boolean },
): Promise<ValidationResult> {
  const logits = await predictLogits(network, data, set.rows, options);
  const loss = setLoss(logits, set.labels, set.beta);
  // not a number: the caller says so with the epoch
  if (!Number.isFinite(loss)) return { loss, perturbedLoss: null, auc: null };
  const result = { loss, auc: tableAuc(logits, set.labels) };
  if (!options.adversarial) return { ...result, perturbedLoss: null };
  const mixed = await perturbedLogits(network, data, set, { ...options, logits });
  return { ...result, perturbedLoss: setLoss(mixed, set.labels, set.beta) };
}

/** The logits with one fixed seeded half of the images attacked, moving averages inside the attack. */
async function perturbedLogits(
  network: Network,
  data: PreparedData,
  set: ValidationSet,
  { logits, train, ...options }: PredictOptions & { train: TrainOptions; logits: Float32Array },
): Promise<Float32Array> {
  const half = perturbedHalf(set.rows.length, train.perturbedFraction, train.seed);
  const mixed = logits.slice();
  await forBatches(half, options, (part) => {
    const rows = part.map((position) => set.rows[position]!);
    const values = tf.tidy(() => {
      const batch = {
        x: imageBatch(data, rows),
        y: tf.tensor2d(labelsOf(data, rows), [rows.length, FINDINGS.length], 'float32'),
        beta: set.beta,
        perturbed: new Uint8Array(rows.length).fill(1),
      };
      const moved = perturb(network, batch, { ...train, attackBatchNorm: 'inference' });
      return network.forward(moved, 'inference').logits.dataSync<'float32'>();
    });
    for (const [slot, position] of part.entries()) {
      mixed.set(values.subarray(slot * FINDINGS.length, (slot + 1) * FINDINGS.length), position * FINDINGS.length);
    }
  });
  return mixed;
}
