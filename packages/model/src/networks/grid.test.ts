import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { toGrid } from './grid.ts';
import { error, formula, readReference } from './testing.ts';

interface Mapped {
  value: number[];
  gradient: number[];
}

/** Made by PyTorch: packages/model/reference/resnet.py. */
const reference = readReference<{ bilinear: Mapped; adaptive: Mapped }>('resnet.json');

/** Value of a map brought to a grid, and its gradient with the reference's upstream gradient. */
function brought(side: number, grid: number): Mapped {
  return tf.tidy(() => {
    const x = tf.tensor4d(Float32Array.from(formula('map', 6 * side * side)), [2, side, side, 3]);
    const upstream = tf.tensor4d(Float32Array.from(formula('upstream', 6 * grid * grid)), [2, grid, grid, 3]);
    const gradient = tf.grad((input) => tf.sum(tf.mul(toGrid(input as tf.Tensor4D, grid), upstream)))(x);
    return { value: [...toGrid(x, grid).dataSync()], gradient: [...gradient.dataSync()] };
  });
}

describe('toGrid', () => {
  it.each([
    ['bilinear, half-pixel centres', 'bilinear', 3, 7],
    ['adaptive max pooling', 'adaptive', 8, 5],
  ] as const)('%s: value and gradient are those of PyTorch', (_, key, side, grid) => {
    const count = tf.memory().numTensors;
    const found = brought(side, grid);
    expect(error(found.value, reference[key].value)).toBeLessThan(1e-6);
    expect(error(found.gradient, reference[key].gradient)).toBeLessThan(1e-6);
    expect(tf.memory().numTensors).toBe(count);
  });

  it('pools over even windows where the grid divides the map, and gives back a map of its size', () => {
    const rows = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], [1, 4, 4, 1]);
    expect([...toGrid(rows, 2).dataSync()]).toEqual([6, 8, 14, 16]);
    expect(toGrid(rows, 4)).toBe(rows);
  });
});
