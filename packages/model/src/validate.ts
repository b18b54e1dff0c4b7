import { FINDINGS, type PreparedData, random } from '@cxr-lens/data';
import { auc, meanAuc } from '@cxr-lens/eval';
import { type BatchArrays, perturbationArrays } from './batch.ts';
import { hostScalar } from './engine/host-array.ts';
import { readOut } from './engine/read-out.ts';
import { tf } from './engine/tensorflow.ts';
import { columnOf, imageBatch, labelArray, pixelArray } from './images.ts';
import { type LossGraphs, lossGraphs } from './loss-graphs.ts';
import { batchBeta } from './losses/bce.ts';
import { lossesOf, type Objective } from './methods.ts';
import type { Network } from './networks/network.ts';
import { perturbedHalf } from './order.ts';
import { forBatches, INFERENCE_BATCH, type PredictOptions } from './predict.ts';
import { isOverfitted, probe } from './probe.ts';
import type { Epoch, MethodName, TrainOptions } from './spec/index.ts';
import { attackOptions, threatOf } from './threats/threats.ts';

/** The validation images in their fixed order, with beta of Eq. 1 once over all of them. */
export interface ValidationSet {
  rows: number[];
  /** [rows.length * 14] */
  labels: Uint8Array;
  beta: number;
}

interface ValidationResult {
  loss: number;
  /** Null where the method perturbs nothing. */
  perturbedLoss: number | null;
  /** Null where nothing is attacked. */
  probe: Epoch['probe'];
  auc: number | null;
}

export function validationSet(data: PreparedData, positiveWeight: TrainOptions['positiveWeight']): ValidationSet {
  const rows = data.rows('validation');
  const labels = labelArray(data, rows).data;
  return { rows, labels, beta: positiveWeight === 'batch' ? batchBeta(labels) : 1 };
}

/** Mean AUC over the findings that have both classes; null when none has. */
export function tableAuc(logits: Float32Array, labels: Uint8Array): number | null {
  return meanAuc(FINDINGS.map((_, finding) => auc(columnOf(logits, finding), columnOf(labels, finding))));
}

export interface Validator {
  /** Losses and AUC of the validation set: fixed order, moving averages, beta once over the whole set. CxrError CANCELLED. */
  validate(options: PredictOptions): Promise<ValidationResult>;
  dispose(): void;
}

interface Validated {
  set: ValidationSet;
  method: MethodName;
  train: TrainOptions;
  objective: Objective;
}

export function validatorOf(network: Network, data: PreparedData, { set, method, train, objective }: Validated): Validator {
  const graphs = lossGraphs(network, { objective, method, train, size: Math.max(1, Math.min(INFERENCE_BATCH, set.rows.length)) });
  return {
    async validate(options) {
      graphs.refresh();
      const { logits, losses } = await cleanPass(graphs, data, { ...set, ...options });
      const loss = mean(losses);
      // not a number: the caller says so with the epoch
      if (!Number.isFinite(loss)) return { loss, perturbedLoss: null, probe: null, auc: null };
      const result = { loss, auc: tableAuc(logits, set.labels) };
      if (train.perturbation === 'none') return { ...result, perturbedLoss: null, probe: null };
      const perturbedLoss = mean(await perturbedLosses(graphs, data, { ...options, set, losses, train }));
      return { ...result, perturbedLoss, probe: probeAttack(network, data, { set, train, objective }) };
    },
    dispose: () => graphs.dispose(),
  };
}

/** In double precision: a validation set is some ten thousand images. */
export function mean(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** Logits, [N * 14], and the objective's losses, [N], of the images as they are: nothing boxed, no noise, no warm-up. */
export async function cleanPass(
  graphs: LossGraphs,
  data: PreparedData,
  { rows, beta, ...options }: PredictOptions & Pick<ValidationSet, 'rows' | 'beta'>,
): Promise<{ logits: Float32Array; losses: Float32Array }> {
  const logits = new Float32Array(rows.length * FINDINGS.length);
  const losses = new Float32Array(rows.length);
  await forBatches(rows, options, (part, start) => {
    const found = graphs.clean(validationArrays(data, part, beta));
    logits.set(found.logits, start * FINDINGS.length);
    losses.set(found.losses, start);
  });
  return { logits, losses };
}

function validationArrays(data: PreparedData, rows: readonly number[], beta: number): BatchArrays {
  return { pixels: pixelArray(data, rows), labels: labelArray(data, rows), beta: hostScalar(beta) };
}

type PerturbedOptions = PredictOptions & Pick<Validated, 'set' | 'train'> & { losses: Float32Array };

/** The losses with one fixed seeded half of the images attacked, moving averages inside the attack. */
async function perturbedLosses(
  graphs: LossGraphs,
  data: PreparedData,
  { set, losses, train, ...options }: PerturbedOptions,
): Promise<Float32Array> {
  const half = perturbedHalf(set.rows.length, train.perturbedFraction, train.seed);
  const mixed = losses.slice();
  await forBatches(half, options, (part, start) => {
    const rows = part.map((position) => set.rows[position]!);
    const seed = `attack-validation/${train.seed}/${start}`;
    const all = new Uint8Array(rows.length).fill(1);
    const values = graphs.attacked({
      ...validationArrays(data, rows, set.beta),
      ...perturbationArrays(train, all, { side: data.size, seed }),
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
  { set, train, objective }: Pick<Validated, 'set' | 'train' | 'objective'>,
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
  return tf.tensor2d(labelArray(data, rows).data, [rows.length, FINDINGS.length], 'float32');
}
