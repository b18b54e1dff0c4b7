import { expect, it } from 'vitest';
import { convolutionOfImages, convolutionOfSlowGradients } from './convolution.ts';
import { tf } from './tensorflow.ts';

const largest = (values: tf.Tensor): number => tf.max(tf.abs(values)).dataSync()[0]!;

type Convolution = (x: tf.Tensor4D, kernel: tf.Tensor4D) => tf.Tensor4D;

interface Shapes {
  image: [number, number];
  size: number;
  from: number;
  to: number;
}

/** The largest difference of the gradients, relative, where the values are the same to the last bit. */
function gradientGap(ours: Convolution, tensorflows: Convolution, { image, size, from, to }: Shapes): number {
  const count = tf.memory().numTensors;
  const gap = tf.tidy(() => {
    const x = tf.randomNormal([2, ...image, from], 0, 1, 'float32', 1) as tf.Tensor4D;
    const kernel = tf.randomNormal([size, size, from, to], 0, 1, 'float32', 2) as tf.Tensor4D;
    const dy = tf.randomNormal(tensorflows(x, kernel).shape, 0, 1, 'float32', 3) as tf.Tensor4D;
    const of = (convolve: Convolution) =>
      tf.valueAndGrads((input, weights) => convolve(input as tf.Tensor4D, weights as tf.Tensor4D))([x, kernel], dy);
    const [found, expected] = [of(ours), of(tensorflows)];
    expect([...found.value.dataSync()]).toEqual([...expected.value.dataSync()]);
    return Math.max(...expected.grads.map((gradient, at) => largest(tf.sub(found.grads[at]!, gradient)) / largest(gradient)));
  });
  expect(tf.memory().numTensors).toBe(count);
  return gap;
}

it.each([
  ['3 x 3 to a quarter of the channels', { size: 3, from: 128, to: 32 }],
  ['1 x 1 to fewer channels', { size: 1, from: 24, to: 16 }],
  ['1 x 1 to more channels', { size: 1, from: 16, to: 24 }],
  ['3 x 3 between as many channels', { size: 3, from: 32, to: 32 }],
])("%s has the value and the gradients of TensorFlow's own operations", (_name, shapes) => {
  const ours: Convolution = (x, kernel) => convolutionOfSlowGradients(x, kernel, { stride: 1, padding: 'same' });
  expect(gradientGap(ours, (x, kernel) => tf.conv2d(x, kernel, 1, 'same'), { ...shapes, image: [7, 5] })).toBeLessThan(1e-6);
});

it.each([
  ['7 x 7', { size: 7, image: [14, 16] }],
  ['7 x 7, a row and a column left over', { size: 7, image: [14, 15] }],
  ['3 x 3', { size: 3, image: [9, 8] }],
  ['2 x 2', { size: 2, image: [9, 8] }],
] as const)("%s at stride 2 of one and of three channels has TensorFlow's gradients", (_name, { size, image }) => {
  for (const from of [1, 3]) {
    const shapes: Shapes = { size, image: [...image], from, to: 8 };
    expect(
      gradientGap(convolutionOfImages, (x, kernel) => tf.conv2d(x, kernel, 2, 'valid'), shapes),
      `${from}`,
    ).toBeLessThan(1e-6);
  }
});
