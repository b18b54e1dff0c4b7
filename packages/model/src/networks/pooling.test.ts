import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { globalPool, type Pooling } from './pooling.ts';
import { error, formula, readReference } from './testing.ts';

/** Made by PyTorch: packages/model/reference/resnet.py. */
const reference = readReference<{ lse: { value: number[]; gradient: number[] } }>('resnet.json').lse;

const map = (): tf.Tensor4D => tf.tensor4d(Float32Array.from(formula('map', 150)), [2, 5, 5, 3]);

/** Value of the pooled map, and its gradient with the upstream gradient. */
function pool(
  x: tf.Tensor4D,
  pooling: Pooling,
  { sharpness = 10, upstream = tf.onesLike }: { sharpness?: number; upstream?: (y: tf.Tensor) => tf.Tensor } = {},
): { value: number[]; gradient: number[] } {
  return tf.tidy(() => {
    const pooled = (input: tf.Tensor): tf.Tensor => globalPool(input as tf.Tensor4D, { pooling, lseSharpness: sharpness });
    const value = pooled(x);
    const gradient = tf.grad((input) => tf.sum(tf.mul(pooled(input), upstream(value))))(x);
    return { value: [...value.dataSync()], gradient: [...gradient.dataSync()] };
  });
}

describe('lse', () => {
  it('has the value and gradient that PyTorch gives', () => {
    const upstream = (): tf.Tensor => tf.tensor2d(Float32Array.from(formula('upstream', 6)), [2, 3]);
    const found = pool(map(), 'lse', { upstream });
    expect(error(found.value, reference.value)).toBeLessThan(1e-6);
    expect(error(found.gradient, reference.gradient)).toBeLessThan(1e-5);
  });

  it('goes to the average where r is small, to the maximum where it is large, and grows with r in between', () => {
    const [average, max] = [pool(map(), 'average').value, pool(map(), 'max').value];
    expect(error(pool(map(), 'lse', { sharpness: 1e-3 }).value, average)).toBeLessThan(1e-2);
    expect(error(pool(map(), 'lse', { sharpness: 1e4 }).value, max)).toBeLessThan(1e-3);
    const [low, high] = [1, 10].map((sharpness) => pool(map(), 'lse', { sharpness }).value);
    for (const [index, value] of low!.entries()) expect(value).toBeLessThan(high![index]!);
  });

  it('adds what is added to the map, and shares one gradient among its positions, whatever the size of the values', () => {
    for (const shift of [-1e4, 0, 1e4]) {
      const { value, gradient } = pool(tf.add(map(), shift), 'lse');
      for (const [index, expected] of pool(map(), 'lse').value.entries()) expect(value[index]! - shift).toBeCloseTo(expected, 2);
      const sums = tf.sum(tf.tensor4d(gradient, [2, 5, 5, 3]), [1, 2]).dataSync();
      for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
    }
  });

  it('shares the gradient equally among equal values', () => {
    const { value, gradient } = pool(tf.fill([1, 2, 2, 1], 3), 'lse');
    expect(value).toEqual([3]);
    expect(gradient).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

describe('max', () => {
  it('gives the gradient to one position, also where several are equal', () => {
    expect(pool(tf.tensor4d([1, 4, 2, 3], [1, 2, 2, 1]), 'max')).toEqual({ value: [4], gradient: [0, 1, 0, 0] });
    expect(pool(tf.zeros([1, 2, 2, 1]), 'max')).toEqual({ value: [0], gradient: [1, 0, 0, 0] });
  });
});

it('leaves no tensor', () => {
  const x = map();
  const count = tf.memory().numTensors;
  for (const pooling of ['lse', 'max', 'average'] as const) pool(x, pooling);
  expect(tf.memory().numTensors).toBe(count);
});
