import { expect, it } from 'vitest';
import { convolutionOfSlowGradients } from './convolution.ts';
import { tf } from './tensorflow.ts';

const largest = (values: tf.Tensor): number => tf.max(tf.abs(values)).dataSync()[0]!;

it.each([
  ['3 x 3 to a quarter of the channels', { size: 3, from: 128, to: 32 }],
  ['1 x 1 to fewer channels', { size: 1, from: 24, to: 16 }],
  ['1 x 1 to more channels', { size: 1, from: 16, to: 24 }],
  ['3 x 3 between as many channels', { size: 3, from: 32, to: 32 }],
])("%s has the value and the gradients of TensorFlow's own operations", (_name, { size, from, to }) => {
  const count = tf.memory().numTensors;
  tf.tidy(() => {
    const x = tf.randomNormal([2, 7, 5, from], 0, 1, 'float32', 1) as tf.Tensor4D;
    const kernel = tf.randomNormal([size, size, from, to], 0, 1, 'float32', 2) as tf.Tensor4D;
    const dy = tf.randomNormal([2, 7, 5, to], 0, 1, 'float32', 3) as tf.Tensor4D;
    const ours = tf.valueAndGrads((input, weights) =>
      convolutionOfSlowGradients(input as tf.Tensor4D, weights as tf.Tensor4D, { stride: 1, padding: 'same' }),
    )([x, kernel], dy);
    const own = tf.valueAndGrads((input, weights) => tf.conv2d(input as tf.Tensor4D, weights as tf.Tensor4D, 1, 'same'))([x, kernel], dy);
    expect([...ours.value.dataSync()]).toEqual([...own.value.dataSync()]);
    for (const [at, gradient] of own.grads.entries()) {
      expect(largest(tf.sub(ours.grads[at]!, gradient)) / largest(gradient)).toBeLessThan(1e-6);
    }
  });
  expect(tf.memory().numTensors).toBe(count);
});
