import { FINDINGS, type PreparedData, random } from '@cxr-lens/data';
import { auc, meanAuc } from '@cxr-lens/eval';
import { readOut } from './engine/read-out.ts';
import { tf } from './engine/tensorflow.ts';
import { columnOf, imageBatch, labelsOf } from './images.ts';
import { batchBeta } from './losses/bce.ts';
import { lossesOf, type Objective, stepInputs } from './methods.ts';
import type { Network } from './networks/network.ts';
import { perturbedHalf } from './order.ts';
import { forBatches, type PredictOptions } from './predict.ts';
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

/** Mean AUC over the findings that have both classes; null when none has. */
export function tableAuc(logits: Float32Array, labels: Uint8Array): number | null {
  return meanAuc(FINDINGS.map((_, finding) => auc(columnOf(logits, finding), columnOf(labels, finding))));
}

type ValidateOptions = PredictOptions & { train: TrainOptions; objective: Objective };

/** Losses and AUC of the validation set: fixed order, moving averages, beta once over the whole set. CxrError CANCELLED. */
export async function validate(
  network: Network,
  data: PreparedData,
  set: ValidationSet,
  options: ValidateOptions,
): Promise<ValidationResult> {
  const { logits, losses } = await cleanPass(network, data, set, options);
  const loss = mean(losses);
  // not a number: the caller says so with the epoch
  if (!Number.isFinite(loss)) return { loss, perturbedLoss: null, probe: null, auc: null };
  const result = { loss, auc: tableAuc(logits, set.labels) };
  if (options.train.perturbation === 'none') return { ...result, perturbedLoss: null, probe: null };
  const perturbedLoss = mean(await perturbedLosses(network, data, set, { ...options, losses }));
  return { ...result, perturbedLoss, probe: probeAttack(network, data, set, options) };
}

/** In double precision: a validation set is some ten thousand images. */
export function mean(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** Logits, [N * 14], and the objective's losses, [N], of the images as they are: nothing boxed, no noise, no warm-up. */
export async function cleanPass(
  network: Network,
  data: PreparedData,
  { rows, beta }: Pick<ValidationSet, 'rows' | 'beta'>,
  { objective, ...options }: PredictOptions & { objective: Objective },
): Promise<{ logits: Float32Array; losses: Float32Array }> {
  const logits = new Float32Array(rows.length * FINDINGS.length);
  const losses = new Float32Array(rows.length);
  await forBatches(rows, options, (part, start) => {
    const found = readOut(() => {
      const x = imageBatch(data, part);
      const output = network.forward(x, 'inference');
      const own = objective(output, { x, y: labelBatch(data, part), beta });
      return { logits: output.logits.dataSync<'float32'>(), losses: own.dataSync<'float32'>() };
    });
    logits.set(found.logits, start * FINDINGS.length);
    losses.set(found.losses, start);
  });
  return { logits, losses };
}

/** The losses with one fixed seeded half of the images attacked, moving averages inside the attack. */
async function perturbedLosses(
  network: Network,
  data: PreparedData,
  set: ValidationSet,
  { losses, train, objective, ...options }: ValidateOptions & { losses: Float32Array },
): Promise<Float32Array> {
  const half = perturbedHalf(set.rows.length, train.perturbedFraction, train.seed);
  const mixed = losses.slice();
  await forBatches(half, options, (part, start) => {
    const rows = part.map((position) => set.rows[position]!);
    const values = readOut(() => {
      const batch = {
        x: imageBatch(data, rows),
        y: labelBatch(data, rows),
        beta: set.beta,
        perturbed: new Uint8Array(rows.length).fill(1),
        seed: `attack-validation/${train.seed}/${start}`,
      };
      const moved = stepInputs(network, batch, { objective, options: { ...train, attackBatchNorm: 'inference' } });
      return lossesOf(network, batch, { objective, mode: 'inference' })(moved).dataSync<'float32'>();
    });
    for (const [slot, position] of part.entries()) mixed[position] = values[slot]!;
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
  { train, objective }: Pick<ValidateOptions, 'train' | 'objective'>,
): ValidationResult['probe'] {
  if (train.perturbation === 'noise') return null;
  const rows = random(`probe/${train.seed}`).shuffle(set.rows).slice(0, PROBED);
  return readOut(() => {
    const losses = lossesOf(network, { y: labelBatch(data, rows), beta: set.beta }, { objective, mode: 'inference' });
    const own = { ...attackOptions(train), keep: 'last', seed: `probe/${train.seed}` } as const;
    const found = probe(losses, imageBatch(data, rows), threatOf(train), own);
    return { ...found, overfitted: isOverfitted(found) };
  });
}

/** [B, 14], 0 or 1. */
function labelBatch(data: PreparedData, rows: readonly number[]): tf.Tensor2D {
  return tf.tensor2d(labelsOf(data, rows), [rows.length, FINDINGS.length], 'float32');
}
