import { FINDINGS, type PreparedData, random } from '@cxr-lens/data';
import { auc, meanAuc } from '@cxr-lens/eval';
import { readOut } from './engine/read-out.ts';
import { tf } from './engine/tensorflow.ts';
import { columnOf, imageBatch, labelsOf } from './images.ts';
import { batchBeta } from './losses/bce.ts';
import { lossesOf, type Objective, stepInputs } from './methods.ts';
import type { Network } from './networks/network.ts';
import { perturbedHalf } from './order.ts';
import { forBatches, type PredictOptions, predictLogits } from './predict.ts';
import { isOverfitted, probe } from './probe.ts';
import type { Epoch, TrainOptions } from './spec/index.ts';
import { attackOptions, threatOf } from './threats/threats.ts';

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
  /** Null where nothing is attacked. */
  probe: Epoch['probe'];
  auc: number | null;
}

export function validationSet(data: PreparedData, positiveWeight: TrainOptions['positiveWeight']): ValidationSet {
  const rows = data.rows('validation');
  const labels = labelsOf(data, rows);
  return { rows, labels, beta: positiveWeight === 'batch' ? batchBeta(labels) : 1 };
}

// Rows of logits in one tensor.
const ROWS = 4096;

/**
 * The objective over a whole set: mean over the images, summed in double precision.
 * @param logits [N * 14]
 */
export function setLoss(objective: Objective, logits: Float32Array, { labels, beta }: Pick<ValidationSet, 'labels' | 'beta'>): number {
  const images = logits.length / FINDINGS.length;
  let total = 0;
  for (let start = 0; start < images; start += ROWS) {
    const rows = Math.min(ROWS, images - start);
    const part = [start * FINDINGS.length, (start + rows) * FINDINGS.length] as const;
    const losses = readOut(() => {
      const z = tf.tensor2d(logits.subarray(...part), [rows, FINDINGS.length]);
      const y = tf.tensor2d(labels.subarray(...part), [rows, FINDINGS.length], 'float32');
      return objective(z, y, beta).dataSync<'float32'>();
    });
    for (const loss of losses) total += loss;
  }
  return total / images;
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
  options: PredictOptions & { train: TrainOptions; objective: Objective },
): Promise<ValidationResult> {
  const logits = await predictLogits(network, data, set.rows, options);
  const loss = setLoss(options.objective, logits, set);
  // not a number: the caller says so with the epoch
  if (!Number.isFinite(loss)) return { loss, perturbedLoss: null, probe: null, auc: null };
  const result = { loss, auc: tableAuc(logits, set.labels) };
  if (options.train.perturbation === 'none') return { ...result, perturbedLoss: null, probe: null };
  const mixed = await perturbedLogits(network, data, set, { ...options, logits });
  return { ...result, perturbedLoss: setLoss(options.objective, mixed, set), probe: probeAttack(network, data, set, options) };
}

/** The logits with one fixed seeded half of the images attacked, moving averages inside the attack. */
async function perturbedLogits(
  network: Network,
  data: PreparedData,
  set: ValidationSet,
  { logits, train, objective, ...options }: PredictOptions & { train: TrainOptions; objective: Objective; logits: Float32Array },
): Promise<Float32Array> {
  const half = perturbedHalf(set.rows.length, train.perturbedFraction, train.seed);
  const mixed = logits.slice();
  await forBatches(half, options, (part, start) => {
    const rows = part.map((position) => set.rows[position]!);
    const values = tf.tidy(() => {
      const batch = {
        x: imageBatch(data, rows),
        y: tf.tensor2d(labelsOf(data, rows), [rows.length, FINDINGS.length], 'float32'),
        beta: set.beta,
        perturbed: new Uint8Array(rows.length).fill(1),
        seed: `attack-validation/${train.seed}/${start}`,
      };
      const moved = stepInputs(network, batch, { objective, options: { ...train, attackBatchNorm: 'inference' } });
      return network.forward(moved, 'inference').logits.dataSync<'float32'>();
    });
    for (const [slot, position] of part.entries()) {
      mixed.set(values.subarray(slot * FINDINGS.length, (slot + 1) * FINDINGS.length), position * FINDINGS.length);
    }
  });
  return mixed;
}

// Images of the probe: a mean whose noise does not hide a missed half, at the cost of about one training step of each attack.
const PROBED = 32;

/** The probe of catastrophic overfitting, on one fixed seeded batch of the validation images; null where nothing is attacked. */
function probeAttack(
  network: Network,
  data: PreparedData,
  set: ValidationSet,
  { train, objective }: { train: TrainOptions; objective: Objective },
): ValidationResult['probe'] {
  if (train.perturbation === 'noise') return null;
  const rows = random(`probe/${train.seed}`).shuffle(set.rows).slice(0, PROBED);
  return readOut(() => {
    const y = tf.tensor2d(labelsOf(data, rows), [rows.length, FINDINGS.length], 'float32');
    const losses = lossesOf(network, { y, beta: set.beta }, { objective, mode: 'inference' });
    const own = { ...attackOptions(train), keep: 'last', seed: `probe/${train.seed}` } as const;
    const found = probe(losses, imageBatch(data, rows), threatOf(train), own);
    return { ...found, overfitted: isOverfitted(found) };
  });
}
