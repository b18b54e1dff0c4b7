import { expect, it } from 'vitest';
import { mirrored } from './batch.ts';
import { tf } from './engine/tensorflow.ts';

it('exchanges left and right of the chosen images alone', () => {
  const before = tf.memory().numTensors;
  const values = tf.tidy(() => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2, 1]);
    return [...mirrored(x, tf.tensor1d([0, 1], 'bool')).dataSync()];
  });
  expect(values).toEqual([1, 2, 3, 4, 6, 5, 8, 7]);
  expect(tf.memory().numTensors).toBe(before);
});
