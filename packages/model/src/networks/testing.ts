import { readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { cam } from '@cxr-lens/eval';
import { readOut } from '../engine/read-out.ts';
import { tf } from '../engine/tensorflow.ts';
import type { Network, Output } from './network.ts';

// float32 against float64, sums in another order through up to 121 layers.
export const TOLERANCE = 1e-3;

/** What every network of the tests is built with. */
export const PIXELS = { mean: 0.5, std: 0.25, seed: 0 };

/** One image's answers, made by the scripts under packages/model/reference. */
export interface Explained {
  logits: number[];
  /** The evidence of one finding, without its upsampling. */
  cam?: number[];
  patches?: number[];
  gradientMax: number;
  /** Places and values. */
  gradient: [number, number][];
}

/** What one training step gives, of the same scripts; the first values of each tensor. */
export interface Trained {
  loss: number;
  gradients: Record<string, number[]>;
  statistics: Record<string, number[]>;
}

/** A file of packages/model/reference. */
export function readReference<T>(file: string): T {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, '../../reference', file), 'utf8')) as T;
}

/** `formula` of the reference scripts. */
export function formula(name: string, length: number): Float64Array {
  const seed = crc32(name);
  const values = new Float64Array(length);
  for (let index = 0; index < length; index++) {
    let x = (Math.imul(index, 0x9e3779b1) + seed) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
    values[index] = ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  }
  return values;
}

/**
 * `parameter` of the reference scripts for every variable.
 * @param spread kernels lie within sqrt(spread / fan in)
 */
export function fill(network: Network, spread: number): Network {
  for (const [name, variable] of [...network.parameters, ...network.statistics]) {
    const kind = name.slice(name.lastIndexOf('.') + 1);
    const fanIn = variable.shape.slice(0, -1).reduce((product, side) => product * side, 1);
    const scale = kind === 'kernel' ? Math.sqrt(spread / fanIn) : 0.2;
    const shift = kind === 'scale' || kind === 'variance' ? 1 : 0;
    const exact = formula(name, variable.size);
    const values = new Float32Array(exact.length);
    for (let i = 0; i < values.length; i++) values[i] = shift + scale * exact[i]!;
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return network;
}

export function image(batch: number, size: number): tf.Tensor4D {
  return tf.tensor4d(
    Float32Array.from(formula('image', batch * size * size), (value) => 0.5 + 0.5 * value),
    [batch, size, size, 1],
  );
}

/** Labels of the reference scripts' training steps: [batch, 14], 0 or 1. */
export function labels(batch: number): Float32Array {
  return Float32Array.from(formula('labels', batch * 14), (value) => (value > 0.6 ? 1 : 0));
}

/** Greatest difference as a share of the greatest expected value. */
export function error(found: ArrayLike<number>, expected: readonly number[], scale = Math.max(...expected.map(Math.abs))): number {
  return Math.max(...expected.map((value, index) => Math.abs(found[index]! - value))) / scale;
}

/** Errors of a network's logits, evidence and input gradient of one finding on the reference's image, at 224 x 224; printed, for docs/paper.md. */
export function explainedErrors(network: Network, expected: Explained, finding: number): Record<string, number> {
  return tf.tidy(() => {
    const x = image(1, 224);
    const output = network.forward(x, 'inference');
    if (`${output.features.shape.slice(1)}` !== `${network.featureShape}`) throw new Error(`features of ${output.features.shape}`);
    const [gradient] = inputGradients(network, x, [finding]);
    const samples = expected.gradient.map(([place]) => gradient![place]!);
    const errors = {
      logits: error(output.logits.dataSync(), expected.logits),
      evidence: error(evidenceOf(network, output, finding), expected.cam ?? expected.patches ?? []),
      gradientMax: Math.abs(Math.max(...gradient!.map(Math.abs)) / expected.gradientMax - 1),
      gradient: error(
        samples,
        expected.gradient.map(([, value]) => value),
        expected.gradientMax,
      ),
    };
    process.stderr.write(`${network.name}: ${JSON.stringify(errors)}\n`);
    return errors;
  });
}

/** Errors of a loss's value, of its gradients, and of the moving averages after the pass. */
export function trainingErrors(network: Network, loss: () => tf.Scalar, expected: Trained): Record<string, number> {
  return tf.tidy(() => {
    const { value, grads } = tf.variableGrads(loss, [...network.parameters.values()]);
    const errors: Record<string, number> = { loss: Math.abs(value.dataSync()[0]! / expected.loss - 1) };
    for (const [name, values] of Object.entries(expected.gradients)) {
      errors[name] = error(grads[network.parameters.get(name)!.name]!.dataSync(), values);
    }
    for (const [name, values] of Object.entries(expected.statistics)) {
      errors[name] = error(network.statistics.get(name)!.dataSync(), values);
    }
    return errors;
  });
}

/** Parameters whose gradient is zero all over, or not finite. */
export function lostGradients(network: Network, loss: () => tf.Scalar): string[] {
  return tf.tidy(() => {
    const { grads } = tf.variableGrads(loss, [...network.parameters.values()]);
    const isLost = (variable: tf.Variable): boolean => {
      const greatest = tf.max(tf.abs(grads[variable.name]!)).dataSync()[0]!;
      return !(greatest > 0 && Number.isFinite(greatest));
    };
    return [...network.parameters].filter(([, variable]) => isLost(variable)).map(([name]) => name);
  });
}

/** The greatest of the errors; NaN where one is. */
export function worst(errors: Record<string, number>): number {
  return Math.max(...Object.values(errors));
}

function evidenceOf(network: Network, { features, patches }: Output, finding: number): Float32Array {
  if (network.evidence.kind === 'cam') {
    const [height, width, channels] = network.featureShape;
    const weights = tf.squeeze(tf.slice(network.evidence.headWeights(), [0, finding], [-1, 1])).dataSync<'float32'>();
    return cam({ features: features.dataSync<'float32'>(), height, width, channels }, weights);
  }
  return tf.slice(patches!, [0, 0, 0, finding], [-1, -1, -1, 1]).dataSync<'float32'>();
}

/**
 * Saliency operation by operation, what the compiled one is checked against: d logit / d grey pixel, batch norm by its moving averages.
 * @param x [1, S, S, 1], grey in [0, 1]
 * @param findings indices of logits
 * @returns [S, S] for each
 */
export function inputGradients(network: Network, x: tf.Tensor4D, findings: readonly number[]): Float32Array[] {
  return findings.map((finding) =>
    readOut(() => {
      const logit = (input: tf.Tensor): tf.Scalar =>
        tf.sum(tf.slice(network.forward(input as tf.Tensor4D, 'inference').logits, [0, finding], [1, 1]));
      return Float32Array.from(tf.grad(logit)(x).dataSync<'float32'>());
    }),
  );
}
