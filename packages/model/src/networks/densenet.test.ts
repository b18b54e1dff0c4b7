import { readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { cam } from '@cxr-lens/eval';
import { afterEach, describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { inputGradients } from '../explain.ts';
import { batchBeta, weightedBce } from '../loss.ts';
import { PRESETS } from '../spec/presets.ts';
import { densenet121, truncatedDensenet } from './densenet.ts';
import type { Network } from './network.ts';

interface Explained {
  logits: number[];
  cam: number[];
  gradientMax: number;
  gradient: [number, number][];
}

/** Made by PyTorch: packages/model/reference/densenet.py. */
const reference = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../reference/densenet.json'), 'utf8')) as {
  finding: number;
  densenet121: Explained;
  truncated: Explained;
  small: { beta: number; loss: number; gradients: Record<string, number[]>; statistics: Record<string, number[]> };
};

/** densenet.py's `formula`. */
function formula(name: string, length: number): Float64Array {
  const seed = crc32(name);
  return Float64Array.from({ length }, (_, index) => {
    let x = (Math.imul(index, 0x9e3779b1) + seed) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

/** densenet.py's `parameter`. */
function fill(network: Network): Network {
  for (const [name, variable] of [...network.parameters, ...network.statistics]) {
    const kind = name.slice(name.lastIndexOf('.') + 1);
    const fanIn = variable.shape.slice(0, -1).reduce((product, side) => product * side, 1);
    const scale = kind === 'kernel' ? Math.sqrt(6 / fanIn) : 0.2;
    const shift = kind === 'scale' || kind === 'variance' ? 1 : 0;
    const values = Float32Array.from(formula(name, variable.size), (value) => shift + scale * value);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return network;
}

function image(batch: number, size: number): tf.Tensor4D {
  return tf.tensor4d(
    Float32Array.from(formula('image', batch * size * size), (value) => 0.5 + 0.5 * value),
    [batch, size, size, 1],
  );
}

/** Greatest difference as a share of the greatest expected value. */
function error(found: ArrayLike<number>, expected: readonly number[], scale = Math.max(...expected.map(Math.abs))): number {
  return Math.max(...expected.map((value, index) => Math.abs(found[index]! - value))) / scale;
}

// float32 against float64, sums in another order through up to 121 layers.
const TOLERANCE = 1e-3;
const pixels = { mean: 0.5, std: 0.25, seed: 0 };

let open: Network | null = null;
afterEach(() => {
  open?.dispose();
  open = null;
  tf.disposeVariables();
});

describe('against torchvision', () => {
  it.each([
    ['densenet121', () => densenet121(pixels)],
    ['truncated', () => truncatedDensenet({ ...pixels, preset: 'paper' })],
  ] as const)('%s: logits, CAM and input gradient', (name, make) => {
    const network = fill(make());
    open = network;
    const expected = reference[name];
    tf.tidy(() => {
      const x = image(1, 224);
      const { features, logits } = network.forward(x, 'inference');
      expect(features.shape.slice(1)).toEqual(network.featureShape);
      expect(error(logits.dataSync(), expected.logits)).toBeLessThan(TOLERANCE);
      const [height, width, channels] = network.featureShape;
      const weights = tf.squeeze(tf.slice(network.headWeights(), [0, reference.finding], [-1, 1])).dataSync<'float32'>();
      const map = cam({ features: features.dataSync<'float32'>(), height, width, channels }, weights);
      expect(error(map, expected.cam)).toBeLessThan(TOLERANCE);
      const [gradient] = inputGradients(network, x, [reference.finding]);
      const samples = expected.gradient.map(([place]) => gradient![place]!);
      expect(Math.abs(Math.max(...gradient!.map(Math.abs)) / expected.gradientMax - 1)).toBeLessThan(TOLERANCE);
      const values = expected.gradient.map(([, value]) => value);
      expect(error(samples, values, expected.gradientMax)).toBeLessThan(TOLERANCE);
    });
  });

  it("small: a training step's loss, gradients and moving averages", () => {
    const network = fill(truncatedDensenet({ ...pixels, preset: 'small' }));
    open = network;
    const expected = reference.small;
    tf.tidy(() => {
      const labels = Float32Array.from(formula('labels', 56), (value) => (value > 0.6 ? 1 : 0));
      const beta = batchBeta(labels);
      expect(beta).toBeCloseTo(expected.beta, 6);
      const x = image(4, 96);
      const y = tf.tensor2d(labels, [4, 14]);
      const variables = [...network.parameters.values()];
      const { value, grads } = tf.variableGrads(() => weightedBce(network.forward(x, 'train').logits, y, beta), variables);
      expect(Math.abs(value.dataSync()[0]! / expected.loss - 1)).toBeLessThan(TOLERANCE);
      for (const [name, values] of Object.entries(expected.gradients)) {
        expect(error(grads[network.parameters.get(name)!.name]!.dataSync(), values), name).toBeLessThan(TOLERANCE);
      }
      for (const [name, values] of Object.entries(expected.statistics)) {
        expect(error(network.statistics.get(name)!.dataSync(), values), name).toBeLessThan(TOLERANCE);
      }
    });
  });
});

describe('truncated DenseNet', () => {
  it.each(Object.values(PRESETS))('$name has the feature map that the preset says', ({ name, featureShape, inputSize }) => {
    open = truncatedDensenet({ ...pixels, preset: name });
    expect(open.featureShape).toEqual(featureShape);
    expect(open.inputSize).toBe(inputSize);
  });

  it('names each parameter network.<layer>.<parameter>, in the layers of the paper', () => {
    open = truncatedDensenet({ ...pixels, preset: 'paper' });
    const names = [...open.parameters.keys()];
    expect(names.every((name) => /^network(\.[a-z]+\d*)+\.(kernel|scale|offset|bias)$/.test(name))).toBe(true);
    expect(open.parameters.get('network.block2.layer12.convolution2.kernel')!.shape).toEqual([3, 3, 128, 32]);
    expect(open.parameters.get('network.head.kernel')!.shape).toEqual([512, 14]);
    expect([...open.statistics.keys()]).toContain('network.block1.layer1.norm1.variance');
  });

  it('draws the same He normal weights for the same seed, and zero bias', () => {
    const [first, second, other] = [0, 0, 1].map((seed) => truncatedDensenet({ ...pixels, preset: 'small', seed }));
    const kernel = (network: Network): Float32Array => network.parameters.get('network.stem.convolution.kernel')!.dataSync<'float32'>();
    expect(kernel(first!)).toEqual(kernel(second!));
    expect(kernel(first!)).not.toEqual(kernel(other!));
    const values = [...kernel(first!)];
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(variance / (2 / (7 * 7 * 3))).toBeCloseTo(1, 1);
    expect([...first!.parameters.get('network.head.bias')!.dataSync()]).toEqual(new Array(14).fill(0));
  });

  it('gives each image of a batch its own answer in inference mode', () => {
    open = truncatedDensenet({ ...pixels, preset: 'small' });
    const network = open;
    tf.tidy(() => {
      const x = image(3, 96);
      const together = network.forward(x, 'inference').logits.arraySync();
      const alone = network.forward(tf.slice(x, [1, 0, 0, 0], [1, -1, -1, -1]), 'inference').logits.arraySync();
      expect(error(alone[0]!, together[1]!)).toBeLessThan(1e-5);
    });
  });
});
