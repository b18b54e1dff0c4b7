import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { imageLogits, type Products } from './products.ts';
import { formula } from './testing.ts';

const GRID = 20;

/** Logit of 1 - product of (1 - p) over all patches of one finding, as it is printed, in double precision. */
function printed(z: ArrayLike<number>, products: Products): number {
  let absent = 1;
  for (let i = 0; i < z.length; i++) {
    const without = 1 / (1 + Math.exp(z[i]!)); // 1 - p
    absent *= products === 'mapped' ? 0.98 + 0.02 * without : without;
  }
  return Math.log((1 - absent) / absent);
}

/** Patches of one image whose findings all have the same. */
function patchesOf(z: ArrayLike<number>): tf.Tensor4D {
  return tf.tile(tf.tensor4d(Float32Array.from(z), [1, GRID, GRID, 1]), [1, 1, 1, 14]);
}

function imageLogit(z: ArrayLike<number>, products: Products): { logit: number; gradient: Float32Array } {
  return tf.tidy(() => {
    const { value, grad } = tf.valueAndGrad((patches) => tf.mean(imageLogits(patches as tf.Tensor4D, products)))(patchesOf(z));
    return { logit: value.dataSync()[0]!, gradient: tf.sum(grad, 3).dataSync<'float32'>() };
  });
}

const scattered = (centre: number): Float64Array => formula('patches', GRID * GRID).map((value) => centre + 3 * value);

describe.each(['mapped', 'raw'] as const)('image logits of %s products', (products) => {
  it.each([-9, -6, -3, 0])('are those of 1 - product of (1 - p) for patches around %d, and so are their gradients', (centre) => {
    const z = scattered(centre);
    const { logit, gradient } = imageLogit(z, products);
    const expected = printed(z, products);
    expect(Math.abs(logit - expected) / Math.max(1, Math.abs(expected))).toBeLessThan(1e-5);
    for (const place of [0, 7, 399]) {
      const step = 1e-4;
      const [up, down] = [step, -step].map((by) => printed(z.with(place, z[place]! + by), products));
      expect(gradient[place]! / ((up! - down!) / (2 * step))).toBeCloseTo(1, 3);
    }
  });

  it.each([-15, -20, -22, -60, -150, -1e4])('are log of the sum of the scores for patches around %d, where none is likely', (centre) => {
    const z = scattered(centre);
    // The product of (1 - p) is 1 in any precision; 1 - product is the sum of p, or of 0.02 p, and p is exp(z).
    const sum = z.reduce((total, value) => total + Math.exp(value - centre), 0);
    const expected = centre + Math.log(sum) + (products === 'mapped' ? Math.log(0.02) : 0);
    const { logit, gradient } = imageLogit(z, products);
    expect(Math.abs(logit - expected) / Math.abs(expected)).toBeLessThan(1e-4);
    for (const place of [0, 7, 399]) expect(gradient[place]! / (Math.exp(z[place]! - centre) / sum)).toBeCloseTo(1, 2);
  });

  it.each([40, 1e4])('are finite for patches around %d, where all are certain', (centre) => {
    const z = scattered(centre);
    const { logit, gradient } = imageLogit(z, products);
    const sum = z.reduce((total, value) => total + value, 0);
    const expected = products === 'raw' ? sum : Math.log(Math.expm1(-400 * Math.log(0.98)));
    expect(logit / expected).toBeCloseTo(1, 5);
    for (const value of gradient) expect(value).toBeCloseTo(products === 'raw' ? 1 : 0, 5);
  });
});
