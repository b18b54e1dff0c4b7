import { afterEach, describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { batchBeta, bceLosses } from '../losses/bce.ts';
import { featureShapeOf } from '../spec/networks.ts';
import { PRESETS } from '../spec/presets.ts';
import { networkOf } from './build.ts';
import type { Network } from './network.ts';
import {
  type Explained,
  error,
  explainedErrors,
  fill,
  image,
  labels,
  PIXELS,
  readReference,
  TOLERANCE,
  type Trained,
  trainingErrors,
  worst,
} from './testing.ts';

/** Made by PyTorch: packages/model/reference/densenet.py. */
const reference = readReference<{
  finding: number;
  densenet121: Explained;
  truncated: Explained;
  small: Trained & { beta: number };
}>('densenet.json');

// densenet.py's kernels lie within sqrt(6 / fan in).
const SPREAD = 6;

let open: Network | null = null;
afterEach(() => {
  open?.dispose();
  open = null;
  tf.disposeVariables();
});

describe('against torchvision', () => {
  it.each([
    ['densenet121', 'densenet121'],
    ['truncated', 'truncated-densenet121'],
  ] as const)('%s: logits, CAM and input gradient', (key, name) => {
    open = fill(networkOf(name, { ...PIXELS, seed: null, preset: 'paper' }), SPREAD);
    const errors = explainedErrors(open, reference[key], reference.finding);
    expect(worst(errors), JSON.stringify(errors)).toBeLessThan(TOLERANCE);
  });

  it("small: a training step's loss, gradients and moving averages", () => {
    const network = fill(networkOf('truncated-densenet121', { ...PIXELS, preset: 'small' }), SPREAD);
    open = network;
    const beta = batchBeta(labels(4));
    expect(beta).toBeCloseTo(reference.small.beta, 6);
    const loss = (): tf.Scalar => {
      const { logits } = network.forward(image(4, 96), 'train');
      return tf.mean(bceLosses(logits, tf.tensor2d(labels(4), [4, 14]), beta));
    };
    const errors = trainingErrors(network, loss, reference.small);
    expect(worst(errors), JSON.stringify(errors)).toBeLessThan(TOLERANCE);
  });
});

describe('truncated DenseNet', () => {
  it.each(Object.values(PRESETS))('$name has the feature map that the preset says', ({ name, inputSize }) => {
    open = networkOf('truncated-densenet121', { ...PIXELS, preset: name });
    expect(open.featureShape).toEqual(featureShapeOf('truncated-densenet121', name));
    expect(open.inputSize).toBe(inputSize);
  });

  it('names each parameter network.<layer>.<parameter>, in the layers of the paper', () => {
    open = networkOf('truncated-densenet121', { ...PIXELS, preset: 'paper' });
    const names = [...open.parameters.keys()];
    expect(names.every((name) => /^network(\.[a-z]+\d*)+\.(kernel|scale|offset|bias)$/.test(name))).toBe(true);
    expect(open.parameters.get('network.block2.layer12.convolution2.kernel')!.shape).toEqual([3, 3, 128, 32]);
    expect(open.parameters.get('network.head.kernel')!.shape).toEqual([512, 14]);
    expect([...open.statistics.keys()]).toContain('network.block1.layer1.norm1.variance');
  });

  it('draws the same He normal weights for the same seed, and zero bias', () => {
    const [first, second, other] = [0, 0, 1].map((seed) => networkOf('truncated-densenet121', { ...PIXELS, preset: 'small', seed }));
    const kernel = (network: Network): Float32Array => network.parameters.get('network.stem.convolution.kernel')!.dataSync<'float32'>();
    expect(kernel(first!)).toEqual(kernel(second!));
    expect(kernel(first!)).not.toEqual(kernel(other!));
    const values = [...kernel(first!)];
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(variance / (2 / (7 * 7 * 3))).toBeCloseTo(1, 1);
    expect([...first!.parameters.get('network.head.bias')!.dataSync()]).toEqual(new Array(14).fill(0));
  });

  it('takes one channel for three that are normalised alike', () => {
    const [one, three] = [
      PIXELS,
      { ...PIXELS, mean: [PIXELS.mean, PIXELS.mean, PIXELS.mean], std: [PIXELS.std, PIXELS.std, PIXELS.std] },
    ].map((pixels) => networkOf('truncated-densenet121', { ...(pixels as typeof PIXELS), preset: 'small' }));
    tf.tidy(() => {
      const found = [one, three].map((network) => [...network!.forward(image(2, 96), 'frozen-batch').logits.dataSync()]);
      expect(error(found[0]!, found[1]!)).toBeLessThan(1e-5);
    });
    one!.dispose();
    three!.dispose();
  });

  it('gives each image of a batch its own answer in inference mode', () => {
    open = networkOf('truncated-densenet121', { ...PIXELS, preset: 'small' });
    const network = open;
    tf.tidy(() => {
      const x = image(3, 96);
      const together = network.forward(x, 'inference').logits.arraySync();
      const alone = network.forward(tf.slice(x, [1, 0, 0, 0], [1, -1, -1, -1]), 'inference').logits.arraySync();
      expect(error(alone[0]!, together[1]!)).toBeLessThan(1e-5);
    });
  });
});
