import { FINDINGS, random } from '@cxr-lens/data';
import { convolution as convolve } from '../engine/convolution.ts';
import { type BatchStatistics, batchNormOfAverages, batchNormOfBatch, relu, statisticsOf } from '../engine/operations.ts';
import { isGpu, tf } from '../engine/tensorflow.ts';
import type { Mode, NetworkOptions } from './network.ts';

/** A step of a network: [B, H, W, C] to [B, H', W', C']. */
export type Layer = (x: tf.Tensor4D, mode: Mode) => tf.Tensor4D;

/** Makes the layers of one network and keeps their variables under `network.<layer>.<parameter>`. */
export interface Layers {
  parameters: Map<string, tf.Variable>;
  statistics: Map<string, tf.Variable>;
  /**
   * Convolution without bias, padded symmetrically by (kernel - 1) / 2, as PyTorch's networks are. One channel where it takes several
   * stands for as many equal ones.
   */
  convolution(name: string, shape: { kernel: number; from: number; to: number; stride?: number }): Layer;
  /** Batch norm. */
  norm(name: string, channels: number): Layer;
  /** Batch norm, then ReLU. */
  normRelu(name: string, channels: number): Layer;
  /** Logits of pooled features, or of single positions: [N, channels] to [N, 14]. `initialBias` is 0 where it is not given. */
  head(channels: number, initialBias?: number): { weights: tf.Variable; logits: (pooled: tf.Tensor2D) => tf.Tensor2D };
  dispose(): void;
}

/**
 * Layers with He normal weights (He et al. 2015, fan in), zero bias, scale 1, offset 0. Each parameter draws from its own seeded
 * stream, so that it does not depend on what else the network has.
 */
export function layers({ seed, runningMomentum }: { seed: number | null; runningMomentum: number }): Layers {
  const parameters = new Map<string, tf.Variable>();
  const statistics = new Map<string, tf.Variable>();

  function variable(name: string, shape: number[], value: number | (() => number)): tf.Variable {
    const trainable = !/\.(mean|variance)$/.test(name);
    const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
    if (typeof value === 'number') values.fill(value);
    else for (let i = 0; i < values.length; i++) values[i] = value();
    const made = tf.tidy(() => tf.variable(tf.tensor(values, shape), trainable));
    (trainable ? parameters : statistics).set(`network.${name}`, made);
    return made;
  }

  function heNormal(name: string, shape: number[]): tf.Variable {
    if (seed === null) return variable(name, shape, 0);
    const { normal } = random(`weights/${seed}/${name}`);
    const fanIn = shape.slice(0, -1).reduce((product, side) => product * side, 1);
    const sd = Math.sqrt(2 / fanIn);
    return variable(name, shape, () => sd * normal());
  }

  function convolution(
    name: string,
    { kernel, from, to, stride = 1 }: { kernel: number; from: number; to: number; stride?: number },
  ): Layer {
    const weights = heNormal(`${name}.kernel`, [kernel, kernel, from, to]) as tf.Variable<tf.Rank.R4>;
    const pad = (kernel - 1) / 2;
    // A grey image stands for as many equal channels as the kernel has: w1 x + w2 x + w3 x = (w1 + w2 + w3) x.
    const by = (x: tf.Tensor4D): tf.Tensor4D => (x.shape[3] === from ? weights : tf.sum(weights, 2, true));
    // At stride 1 TensorFlow's SAME is symmetric, and a 1 x 1 needs no padding; else it is not symmetric at stride 2.
    if (stride === 1 || kernel === 1) return (x) => convolve(x, by(x), { stride, padding: 'same' });
    return (x) => convolve(padded(x, pad), by(x), { stride, padding: 'valid' });
  }

  function norm(name: string, channels: number): Layer {
    const state = {
      scale: variable(`${name}.scale`, [channels], 1),
      offset: variable(`${name}.offset`, [channels], 0),
      mean: variable(`${name}.mean`, [channels], 0),
      variance: variable(`${name}.variance`, [channels], 1),
    };
    return (x, mode) => {
      if (mode === 'inference') return batchNormOfAverages(x, state);
      return batchNormOfBatch(x, state, { momentum: mode === 'train' ? runningMomentum : null, statistics: known.get(x) });
    };
  }

  function normRelu(name: string, channels: number): Layer {
    const step = norm(name, channels);
    return (x, mode) => relu(step(x, mode));
  }

  function head(channels: number, initialBias = 0): { weights: tf.Variable; logits: (pooled: tf.Tensor2D) => tf.Tensor2D } {
    const weights = heNormal('head.kernel', [channels, FINDINGS.length]);
    const bias = variable('head.bias', [FINDINGS.length], initialBias);
    return { weights, logits: (pooled) => tf.add(tf.matMul(pooled, weights as tf.Variable<tf.Rank.R2>), bias) };
  }

  function dispose(): void {
    for (const one of [...parameters.values(), ...statistics.values()]) one.dispose();
  }

  return { parameters, statistics, convolution, norm, normRelu, head, dispose };
}

/** The steps one after another. In inference mode what lies between two of them is given back at once. */
export function chain(steps: readonly Layer[]): Layer {
  return (x, mode) => {
    if (mode !== 'inference') return steps.reduce((h, step) => step(h, mode), x);
    return steps.reduce((h, step) => {
      const next = tf.tidy(() => step(h, mode));
      if (h !== x && h !== next) h.dispose();
      return next;
    }, x);
  };
}

/** Of concatenations, from those of their parts. */
const known = new WeakMap<tf.Tensor, BatchStatistics>();

/**
 * Maps beside each other, [B, H, W, the sum of C]. Each part's statistics are found once, not anew by every batch norm that takes the
 * maps. Not on a GPU, whose batch norm keeps another number than the variance.
 */
export function concatenated(parts: readonly tf.Tensor4D[], mode: Mode): tf.Tensor4D {
  const maps = tf.concat([...parts], 3);
  if (mode === 'inference' || isGpu()) return maps;
  const found = parts.map((part) => known.get(part) ?? statisticsOf(part));
  known.set(maps, { mean: tf.concat(found.map(({ mean }) => mean)), variance: tf.concat(found.map(({ variance }) => variance)) });
  return maps;
}

/**
 * Grey as the reference networks take it: three channels, each normalised; one that stands for three where all are normalised alike.
 * @param x [B, S, S, 1], grey in [0, 1]
 * @returns [B, S, S, 1], or [B, S, S, 3]
 */
export function normalised(x: tf.Tensor4D, { mean, std }: Pick<NetworkOptions, 'mean' | 'std'>): tf.Tensor4D {
  if (typeof mean === 'number' && typeof std === 'number') return tf.mul(tf.sub(x, mean), 1 / std);
  const channels = (value: NetworkOptions['mean']): number[] => (typeof value === 'number' ? [value, value, value] : [...value]);
  const scale = channels(std).map((value) => 1 / value);
  return tf.mul(tf.sub(x, tf.tensor1d(channels(mean))), tf.tensor1d(scale));
}

/** 3 x 3 at stride 2, padded by 1 on every side; of values after a ReLU, where padding with 0 is padding with minus infinity. */
export function maxPool(x: tf.Tensor4D): tf.Tensor4D {
  return tf.maxPool(padded(x, 1), 3, 2, 'valid');
}

/** 2 x 2 at stride 2. */
export function averagePool(x: tf.Tensor4D): tf.Tensor4D {
  return tf.avgPool(x, 2, 2, 'valid');
}

function padded(x: tf.Tensor4D, by: number): tf.Tensor4D {
  return tf.pad4d(x, [
    [0, 0],
    [by, by],
    [by, by],
    [0, 0],
  ]);
}
