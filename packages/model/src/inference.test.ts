import { random } from '@cxr-lens/data';
import { cam } from '@cxr-lens/eval';
import { afterEach, describe, expect, it } from 'vitest';
import { multipliesBfloat16, tf } from './engine/tensorflow.ts';
import { inferenceOf, type Maps, passSize } from './inference.ts';
import { networkOf } from './networks/build.ts';
import type { Network } from './networks/network.ts';
import { fill, inputGradients } from './networks/testing.ts';
import type { NetworkName } from './spec/index.ts';

const SIDE = 96;
const AREA = SIDE * SIDE;
const NETWORKS: NetworkName[] = [
  'truncated-densenet121',
  'densenet121',
  'resnet50',
  'resnet50-transition',
  'preact-resnet50-patches',
  'vae',
];

let open: Network | null = null;
afterEach(() => {
  open?.dispose();
  open = null;
});

/** With moving averages and weights that are not the initial ones. */
function made(name: NetworkName): Network {
  open = networkOf(name, { preset: 'small', mean: 0.5, std: 0.25, seed: 0 });
  fill(open, 4);
  return open;
}

function noise(images: number): Uint8Array {
  const { next } = random(`inference/${images}`);
  return Uint8Array.from({ length: images * AREA }, () => 256 * next());
}

const tensorOf = (pixels: Uint8Array): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from(pixels, (value) => value / 255),
    [pixels.length / AREA, SIDE, SIDE, 1],
  );

/** Largest difference, relative to the largest value. */
function gap(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  const values = Array.from(expected);
  const largest = Math.max(...values.map(Math.abs));
  return Math.max(...values.map((value, at) => Math.abs(value - found[at]!))) / largest;
}

/** Length of the difference, relative to the length of what is expected. */
function distance(found: Float32Array, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  return Math.hypot(...found.map((value, at) => value - expected[at]!)) / Math.hypot(...Array.from(expected));
}

// Sums in another order, and batch norm inside the convolutions.
const ROUNDING = 1e-4;

describe.each(NETWORKS)('%s', (name) => {
  it('gives of any number of images the logits that it gives operation by operation', () => {
    const network = made(name);
    for (const images of [1, 2, 41]) {
      const pixels = noise(images);
      const expected = tf.tidy(() => network.forward(tensorOf(pixels), 'inference').logits.dataSync());
      expect(gap(inferenceOf(network).logits(pixels), expected)).toBeLessThan(ROUNDING);
    }
  });

  it('gives the saliency of one finding, and of all in one pass, that it gives operation by operation', () => {
    const network = made(name);
    const pixels = noise(1);
    const all = Array.from({ length: 14 }, (_, finding) => finding);
    const expected = tf.tidy(() => inputGradients(network, tensorOf(pixels), all));
    for (const findings of [[3], [5, 2], all]) {
      const found = inferenceOf(network).saliency(pixels, findings);
      expect(found).toHaveLength(findings.length);
      for (const [slot, finding] of findings.entries()) {
        // Rounding alone is 1e-6; where a ReLU of the weights drawn stands at zero it decides, and a gradient is 2 % off.
        expect(distance(found[slot]!, expected[finding]!)).toBeLessThan(0.05);
      }
    }
  });
});

it('predicts in bfloat16 where the network says so and the machine multiplies it', () => {
  const [plain, low] = (['float32', 'bfloat16'] as const).map((precision) => {
    const network = networkOf('truncated-densenet121', { preset: 'small', mean: 0.5, std: 0.25, seed: 0, precision });
    fill(network, 4);
    return network;
  });
  const pixels = noise(2);
  const off = gap(inferenceOf(low!).logits(pixels), inferenceOf(plain!).logits(pixels));
  expect(off).toBeLessThan(0.05);
  expect(off > 0).toBe(multipliesBfloat16());
  expect(inferenceOf(low!).saliency(pixels.subarray(0, AREA), [3])).toEqual(inferenceOf(plain!).saliency(pixels.subarray(0, AREA), [3]));
  low!.dispose();
  plain!.dispose();
});

describe('the maps', () => {
  const mapAt = ({ values, height, width }: Maps, slot: number): Float32Array =>
    values.subarray(slot * height * width, (slot + 1) * height * width);

  it('are the CAMs of the features, beside the logits', () => {
    const network = made('truncated-densenet121');
    const pixels = noise(3);
    const { logits, maps } = inferenceOf(network).evidence(pixels);
    expect(gap(logits, inferenceOf(network).logits(pixels))).toBeLessThan(ROUNDING);
    if (network.evidence.kind !== 'cam') throw new Error('a DenseNet has CAMs');
    const [height, width, channels] = network.featureShape;
    const { features, columns } = tf.tidy(() => ({
      features: network.forward(tensorOf(pixels), 'inference').features.dataSync<'float32'>(),
      columns: (network.evidence as { headWeights(): tf.Tensor2D }).headWeights().transpose().dataSync<'float32'>(),
    }));
    for (const [image, finding] of [
      [0, 0],
      [1, 13],
      [2, 7],
    ] as const) {
      const own = {
        features: features.slice(image * height * width * channels).subarray(0, height * width * channels),
        height,
        width,
        channels,
      };
      const expected = cam(own, columns.slice(finding * channels, (finding + 1) * channels));
      expect(gap(mapAt(maps!, image * 14 + finding), expected)).toBeLessThan(ROUNDING);
    }
  });

  it("are the patches' scores, and none of a walk", () => {
    const patches = made('preact-resnet50-patches');
    const pixels = noise(1);
    const expected = tf.tidy(() => tf.sigmoid(patches.forward(tensorOf(pixels), 'inference').patches!).dataSync<'float32'>()); // [1, P, P, 14]
    const { maps } = inferenceOf(patches).evidence(pixels);
    expect(
      gap(
        mapAt(maps!, 5),
        expected.filter((_, at) => at % 14 === 5),
      ),
    ).toBeLessThan(ROUNDING);
    patches.dispose();
    expect(inferenceOf(made('vae')).evidence(pixels).maps).toBeNull();
  });
});

it('is the derivative of the logit along any direction (finite differences)', () => {
  const network = made('truncated-densenet121');
  const pixels = noise(1);
  const finding = 5;
  const [gradient] = inferenceOf(network).saliency(pixels, [finding]);
  tf.tidy(() => {
    const x = tensorOf(pixels);
    const logit = (input: tf.Tensor4D): number => network.forward(input, 'inference').logits.dataSync()[finding]!;
    // Along the gradient itself the change is far above float32's rounding of the logit.
    const direction = tf.tensor4d(gradient!, [1, SIDE, SIDE, 1]);
    const square = gradient!.reduce((sum, value) => sum + value * value, 0);
    const step = 0.02 / Math.sqrt(square);
    const change = logit(tf.add(x, tf.mul(direction, step))) - logit(tf.sub(x, tf.mul(direction, step)));
    expect(change / (2 * step * square)).toBeCloseTo(1, 1);
  });
});

it('fills a pass up where at most a quarter of it is empty', () => {
  const passes = (images: number): number[] => {
    const sizes: number[] = [];
    for (let left = images; left > 0; left -= Math.min(left, sizes.at(-1)!)) sizes.push(passSize(left, [1, 8, 32]));
    return sizes;
  };
  expect([1, 2, 6, 7, 8, 9, 24, 41].map(passes)).toEqual([[1], [1, 1], [8], [8], [8], [8, 1], [32], [32, 8, 1]]);
});

it('leaves as many tensors as before, and is made anew for another network', () => {
  const network = made('truncated-densenet121');
  const count = tf.memory().numTensors;
  inferenceOf(network).logits(noise(2));
  inferenceOf(network).evidence(noise(1));
  inferenceOf(network).saliency(noise(1), [1, 2]);
  expect(inferenceOf(network)).toBe(inferenceOf(network));
  expect(tf.memory().numTensors).toBe(count);
});
