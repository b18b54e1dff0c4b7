import { readFileSync } from 'node:fs';
import path from 'node:path';
import { random } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { type Motion, warp } from './warp.ts';

interface Case {
  side: number;
  /** Degrees. */
  angle: number;
  dx: number;
  dy: number;
  image: number[];
  weights: number[];
  moved: number[];
  gradient: number[];
}

/** Made by torchvision and PyTorch: packages/model/reference/warp.py. */
const { cases } = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../reference/warp.json'), 'utf8')) as { cases: Case[] };

const RADIANS = Math.PI / 180;

const motionOf = (motions: readonly { angle: number; dx: number; dy: number }[]): Motion => ({
  angle: tf.tensor1d(motions.map(({ angle }) => angle * RADIANS)),
  dx: tf.tensor1d(motions.map(({ dx }) => dx)),
  dy: tf.tensor1d(motions.map(({ dy }) => dy)),
});

/** [images, side, side, 1] of uniform noise. */
function noise(images: number, side: number): tf.Tensor4D {
  const { next } = random(3);
  return tf.tensor4d(Float32Array.from({ length: images * side * side }, next), [images, side, side, 1]);
}

function gap(a: tf.Tensor, b: tf.Tensor): number {
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;
}

describe('warp', () => {
  it.each([8, 9])('moves images of side %i as torchvision does, each by its own motion', (side) => {
    tf.tidy(() => {
      const some = cases.filter((one) => one.side === side);
      expect(some.length).toBeGreaterThan(1);
      const shape: [number, number, number, number] = [some.length, side, side, 1];
      const of = (name: 'image' | 'moved'): tf.Tensor4D =>
        tf.tensor4d(
          some.flatMap((one) => one[name]),
          shape,
        );
      // torchvision computes where a pixel comes from in float32 too.
      expect(gap(warp(of('image'), motionOf(some)), of('moved'))).toBeLessThan(1e-5);
    });
  });

  it.each(cases.map((one, index) => [index, one] as const))('case %i has the gradient of PyTorch', (_index, one) => {
    tf.tidy(() => {
      const shape: [number, number, number, number] = [1, one.side, one.side, 1];
      const [x, weights] = [tf.tensor4d(one.image, shape), tf.tensor4d(one.weights, shape)];
      const { angle, dx, dy } = motionOf([one]);
      const sum = (...args: tf.Tensor[]): tf.Scalar => {
        const [a, b, c] = args as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
        return tf.sum(tf.mul(warp(x, { angle: a, dx: b, dy: c }), weights));
      };
      const found = tf
        .grads(sum)([angle, dx, dy])
        .map((gradient) => gradient.dataSync()[0]!);
      // A sum over 81 pixels of slopes up to 9 in float32.
      for (const [index, expected] of one.gradient.entries()) expect(found[index]).toBeCloseTo(expected, 3);
    });
  });

  it('has the slope that finite differences have', () => {
    tf.tidy(() => {
      const side = 16;
      const x = noise(1, side);
      const weights = tf.sub(noise(1, side).reverse(1), 0.5);
      const at = { angle: 9, dx: 0.037, dy: -0.021 };
      const value = (change: Partial<typeof at>): number =>
        tf.sum(tf.mul(warp(x, motionOf([{ ...at, ...change }])), weights)).dataSync()[0]!;
      const { angle, dx, dy } = motionOf([at]);
      const gradients = tf.grads((...args) => {
        const [a, b, c] = args as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
        return tf.sum(tf.mul(warp(x, { angle: a, dx: b, dy: c }), weights));
      })([angle, dx, dy]);
      // 1e-4 of a side: few pixels cross an edge of the bilinear surface on the way.
      const step = 1e-4;
      const slopes = [
        (value({ angle: at.angle + step / RADIANS }) - value({ angle: at.angle - step / RADIANS })) / (2 * step),
        (value({ dx: at.dx + step }) - value({ dx: at.dx - step })) / (2 * step),
        (value({ dy: at.dy + step }) - value({ dy: at.dy - step })) / (2 * step),
      ];
      const scale = Math.max(...slopes.map(Math.abs));
      for (const [index, slope] of slopes.entries()) {
        expect(Math.abs(gradients[index]!.dataSync()[0]! - slope)).toBeLessThan(0.02 * scale);
      }
    });
  });

  it('gives the image bit by bit where nothing moves', () => {
    tf.tidy(() => {
      for (const side of [16, 17]) {
        const x = noise(2, side);
        expect([...warp(x, motionOf(Array(2).fill({ angle: 0, dx: 0, dy: 0 }))).dataSync()]).toEqual([...x.dataSync()]);
      }
    });
  });

  it('shifts by whole pixels, to the right and down, with black from outside', () => {
    tf.tidy(() => {
      const side = 10;
      const x = noise(1, side);
      const moved = warp(x, motionOf([{ angle: 0, dx: 0.3, dy: -0.2 }])).arraySync();
      const before = x.arraySync();
      for (let row = 0; row < side; row++) {
        for (let column = 0; column < side; column++) {
          const expected = before[0]![row + 2]?.[column - 3]?.[0] ?? 0;
          expect(moved[0]![row]![column]![0]).toBeCloseTo(expected, 5);
        }
      }
    });
  });

  it('turns by a right angle clockwise: the left column becomes the top row', () => {
    tf.tidy(() => {
      for (const side of [6, 7]) {
        const x = noise(1, side);
        const turned = tf.reverse(tf.transpose(x, [0, 2, 1, 3]), 2);
        expect(gap(warp(x, motionOf([{ angle: 90, dx: 0, dy: 0 }])), turned)).toBeLessThan(1e-5);
      }
    });
  });

  it('turned there and back is nearly the image in the middle', () => {
    tf.tidy(() => {
      const side = 64;
      const axis = tf.linspace(0, 2 * Math.PI, side);
      const waves = tf.mul(tf.reshape(tf.sin(axis), [1, side, 1, 1]), tf.reshape(tf.cos(axis), [1, 1, side, 1]));
      const x = tf.add(0.5, tf.mul(0.5, waves)) as tf.Tensor4D;
      const there = warp(x, motionOf([{ angle: 15, dx: 0, dy: 0 }]));
      const back = warp(there, motionOf([{ angle: -15, dx: 0, dy: 0 }]));
      const middle = (image: tf.Tensor4D): tf.Tensor4D => tf.slice4d(image, [0, 16, 16, 0], [1, 32, 32, 1]);
      // Twice bilinear: a quarter of the second derivative, (2 pi / 64)^2 / 2 / 2 on each axis.
      expect(gap(middle(back), middle(x))).toBeLessThan(5e-3);
      expect(gap(middle(there), middle(x))).toBeGreaterThan(0.1);
    });
  });
});
