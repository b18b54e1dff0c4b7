import { FINDINGS, type Finding, preprocessingOf, random } from '@cxr-lens/data';
import { type Calibration, calibrate } from '@cxr-lens/eval';
import { tf } from './engine/tensorflow.ts';
import { columnOf } from './images.ts';
import type { Network } from './networks/network.ts';
import type { Card, Normalisation, Run } from './spec/index.ts';

/** Logits of the golden input may differ by this, relative to values above 1: other devices sum in another order. */
const GOLDEN_TOLERANCE = 1e-3;

/** Of a network that has seen no validation images. */
const NOT_CALIBRATED: Calibration = {
  platt: null,
  operatingPoint: null,
  reason: 'imported: no validation images were seen',
  positives: 0,
  negatives: 0,
};

/** Logits of one image of seeded uniform noise, [14]: the golden output. */
export function goldenLogits(network: Network, seed: string): number[] {
  const { next } = random(seed);
  const size = network.inputSize;
  const values = Float32Array.from({ length: size * size }, next);
  return tf.tidy(() => [...network.forward(tf.tensor4d(values, [1, size, size, 1]), 'inference').logits.dataSync<'float32'>()]);
}

/** Whether the logits are the golden ones. */
export function isGolden({ logits, tolerance }: Card['golden'], found: readonly number[]): boolean {
  return logits.every((expected, i) => Math.abs(found[i]! - expected) <= tolerance * Math.max(1, Math.abs(expected)));
}

/** The card of a network whose training has finished; CAM thresholds come with its evaluation. */
export function makeCard({
  run,
  network,
  normalisation,
  validation,
  weightsSha256,
}: {
  run: Run;
  network: Network;
  normalisation: Normalisation;
  /** Of the whole validation set, [N * 14] each; null where the weights were imported. */
  validation: { logits: Float32Array; labels: Uint8Array } | null;
  weightsSha256: string;
}): Card {
  const calibration = FINDINGS.map((finding, index) => [
    finding,
    validation ? calibrate(columnOf(validation.logits, index), columnOf(validation.labels, index)) : NOT_CALIBRATED,
  ]);
  const seed = `golden/${run.network}/${run.inputSize}`;
  return {
    format: 1,
    findings: [...FINDINGS],
    inputSize: run.inputSize,
    featureShape: run.featureShape,
    pixelRange: [0, 1],
    normalisation,
    imported: run.imported,
    preprocessingVersion: run.data?.preprocessingVersion ?? preprocessingOf(null),
    bits: run.data?.bits ?? null,
    pooling: run.options.pooling,
    weightsSha256,
    golden: { seed, logits: goldenLogits(network, seed), tolerance: GOLDEN_TOLERANCE },
    calibration: Object.fromEntries(calibration) as Record<Finding, Card['calibration'][Finding]>,
    camThresholds: null,
  };
}
