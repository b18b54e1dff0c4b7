import { FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import type { Products } from '../networks/products.ts';
import { formula } from '../networks/testing.ts';
import { boxPatches, patchLosses } from './patch.ts';

const [B, K] = [2, FINDINGS.length] as const;

interface Case {
  products: Products;
  grid: number;
  /** Around which the patches' logits lie. */
  centre: number;
}

/** Patches, labels and boxes: of the first image Atelectasis and Mass have one, of the second Nodule. */
function example({ grid, centre }: Case): { patches: Float32Array; y: Float32Array; boxes: Float32Array } {
  const patches = Float32Array.from(formula('patches', B * grid * grid * K), (value) => centre + 2 * value);
  const first = boxPatches(
    [
      { finding: 'Atelectasis', box: { x: 100, y: 200, width: 400, height: 300 } },
      { finding: 'Mass', box: { x: 600, y: 650, width: 200, height: 100 } },
    ],
    grid,
  );
  const second = boxPatches([{ finding: 'Nodule', box: { x: 700, y: 20, width: 60, height: 60 } }], grid);
  const y = Float32Array.from(formula('labels', B * K), (value) => (value > 0.3 ? 1 : 0));
  for (const boxed of [0, 4, K + 5]) y[boxed] = 1;
  return { patches, y, boxes: Float32Array.from([...first, ...second]) };
}

/** One image's loss as it is printed, its products taken as products in double precision. */
function printed(
  image: number,
  { patches, y, boxes }: { patches: ArrayLike<number>; y: ArrayLike<number>; boxes: ArrayLike<number> | null },
  { products, grid }: Case,
): number {
  const map = (v: number): number => (products === 'mapped' ? 0.98 + 0.02 * v : v);
  let loss = 0;
  for (let k = 0; k < K; k++) {
    let [inBox, absent, hasBox] = [1, 1, false];
    for (let patch = 0; patch < grid * grid; patch++) {
      const at = (image * grid * grid + patch) * K + k;
      const [p, without] = [1 / (1 + Math.exp(-patches[at]!)), 1 / (1 + Math.exp(patches[at]!))];
      const inside = boxes?.[at] === 1;
      hasBox ||= inside;
      inBox *= inside ? map(p) : map(without);
      absent *= map(without);
    }
    if (hasBox) loss -= 5 * Math.log(inBox);
    else loss -= y[image * K + k] === 1 ? Math.log(1 - absent) : Math.log(absent);
  }
  return loss;
}

const CASES: Case[] = [
  { products: 'mapped', grid: 20, centre: 0 },
  { products: 'mapped', grid: 7, centre: -3 },
  { products: 'raw', grid: 20, centre: -6 },
  { products: 'raw', grid: 7, centre: -3 },
];

describe.each(CASES)('patchLosses, $products, $grid x $grid patches around $centre', (one) => {
  const { grid, products } = one;
  const { patches, y, boxes } = example(one);

  function losses(input: tf.Tensor, withBoxes: boolean): tf.Tensor1D {
    const given = withBoxes ? tf.tensor4d(boxes, [B, grid, grid, K]) : null;
    return patchLosses(input as tf.Tensor4D, tf.tensor2d(y, [B, K]), { boxes: given, boxWeight: 5, products });
  }

  it.each([true, false])('is what the products give, boxes: %s', (withBoxes) => {
    tf.tidy(() => {
      const found = losses(tf.tensor4d(patches, [B, grid, grid, K]), withBoxes);
      expect(found.shape).toEqual([B]);
      for (const [image, value] of found.dataSync().entries()) {
        expect(value / printed(image, { patches, y, boxes: withBoxes ? boxes : null }, one)).toBeCloseTo(1, 5);
      }
    });
  });

  it('has the gradient that finite differences of the products give', () => {
    const gradient = tf.tidy(() =>
      tf
        .grad((input) => tf.sum(losses(input, true)))(tf.tensor4d(patches, [B, grid, grid, K]))
        .dataSync(),
    );
    const step = 1e-4;
    for (let k = 0; k < B * K; k++) {
      const [image, finding] = [Math.floor(k / K), k % K];
      // A patch in the middle of the image, and the first of the box where there is one.
      const start = image * grid * grid * K;
      const firstBoxed = boxes.findIndex((value, at) => value === 1 && at >= start && at < start + grid * grid * K && at % K === finding);
      for (const at of [start + Math.floor((grid * grid) / 2) * K + finding, firstBoxed]) {
        if (at === -1) continue;
        const [up, down] = [step, -step].map((by) => {
          const moved = Float64Array.from(patches, (value, index) => (index === at ? value + by : value));
          return printed(image, { patches: moved, y, boxes }, one);
        });
        const expected = (up! - down!) / (2 * step);
        expect(Math.abs(gradient[at]! - expected)).toBeLessThan(1e-6 + 1e-3 * Math.abs(expected));
      }
    }
  });
});

describe('patchLosses', () => {
  it.each(['mapped', 'raw'] as const)('%s: value and gradient are finite for any patches', (products) => {
    tf.tidy(() => {
      for (const z of [-1e4, -100, 0, 100, 1e4]) {
        const boxes = tf.concat([tf.ones([1, 20, 20, 7]), tf.zeros([1, 20, 20, 7])], 3) as tf.Tensor4D;
        const y = tf.tile(tf.tensor2d([[1, 0]]), [1, 7]) as tf.Tensor2D;
        const loss = (input: tf.Tensor): tf.Tensor => patchLosses(input as tf.Tensor4D, y, { boxes, boxWeight: 5, products });
        const { value, grad } = tf.valueAndGrad(loss)(tf.fill([1, 20, 20, 14], z));
        expect([...value.dataSync(), ...grad.dataSync()].every(Number.isFinite)).toBe(true);
      }
    });
  });

  it('mapped products leave 400 patches of an unboxed positive a gradient at 0.5, raw ones none', () => {
    const greatest = (products: Products): number =>
      tf.tidy(() => {
        const loss = (input: tf.Tensor): tf.Tensor =>
          patchLosses(input as tf.Tensor4D, tf.ones([1, 14]), { boxes: null, boxWeight: 5, products });
        return tf.max(tf.abs(tf.grad(loss)(tf.zeros([1, 20, 20, 14])))).dataSync()[0]!;
      });
    // d/dz of -log(1 - 0.99^400) by hand: 0.99^400 / (1 - 0.99^400) * 0.02 / 4 / 0.99.
    expect(greatest('mapped') / (((0.99 ** 400 / (1 - 0.99 ** 400)) * 0.005) / 0.99)).toBeCloseTo(1, 3);
    expect(greatest('raw')).toBe(0);
  });

  it('leaves no tensor but the losses', () => {
    const [patches, y, boxes] = [tf.zeros([2, 3, 3, 14]), tf.zeros([2, 14]), tf.zeros([2, 3, 3, 14])] as [
      tf.Tensor4D,
      tf.Tensor2D,
      tf.Tensor4D,
    ];
    const count = tf.memory().numTensors;
    const losses = patchLosses(patches, y, { boxes, boxWeight: 5, products: 'raw' });
    expect(tf.memory().numTensors).toBe(count + 1);
    losses.dispose();
  });
});

describe('boxPatches', () => {
  /** Rows of the patches of one finding. */
  function rows(patches: Uint8Array, grid: number, finding: number): number[][] {
    return Array.from({ length: grid }, (_, row) =>
      Array.from({ length: grid }, (__, column) => patches[(row * grid + column) * K + finding]!),
    );
  }

  it('marks every patch whose cell the box overlaps, of that finding only', () => {
    // Cells of 256: x from 300 to 520 reaches columns 1 and 2, y from 0 to 256 only row 0.
    const patches = boxPatches([{ finding: 'Mass', box: { x: 300, y: 0, width: 220, height: 256 } }], 4);
    expect(rows(patches, 4, FINDINGS.indexOf('Mass'))).toEqual([
      [0, 1, 1, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(patches.reduce((sum, value) => sum + value, 0)).toBe(2);
  });

  it('keeps to the image, marks a box inside one cell, and joins several boxes', () => {
    const patches = boxPatches(
      [
        { finding: 'Nodule', box: { x: 900, y: 900, width: 200, height: 200 } },
        { finding: 'Nodule', box: { x: 10, y: 10, width: 3, height: 3 } },
      ],
      2,
    );
    expect(rows(patches, 2, FINDINGS.indexOf('Nodule'))).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('has none without boxes', () => {
    expect(boxPatches([], 20)).toEqual(new Uint8Array(20 * 20 * K));
  });
});
