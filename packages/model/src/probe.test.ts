import { describe, expect, it } from 'vitest';
import type { AttackOptions, Losses } from './attack.ts';
import { tf } from './engine/tensorflow.ts';
import { isOverfitted, probe } from './probe.ts';
import { linf } from './threats/linf.ts';
import { spatial } from './threats/spatial.ts';

const FGSM = { steps: 1, start: 'image', candidates: 1, keep: 'last', seed: 0 } as const satisfies AttackOptions;

const size = 0.1;
const x = tf.fill([2, 8, 8, 1], 0.5) as tf.Tensor4D;
const share = (input: tf.Tensor4D): tf.Tensor => tf.div(tf.sub(input, x), size);
const perImage = (pixels: tf.Tensor): tf.Tensor1D => tf.mean(pixels, [1, 2, 3]);

/** As a network after catastrophic overfitting: one full step up the gradient ends where the loss is as low as at the image. */
const masked: Losses = (input) => tf.add(1, perImage(tf.sin(tf.mul(share(input), Math.PI)))) as tf.Tensor1D;
const straight: Losses = (input) => tf.add(1, perImage(share(input))) as tf.Tensor1D;

describe('probe', () => {
  it('sees a loss that only its own attack cannot raise', () => {
    const found = probe(masked, x, linf(size), FGSM);
    expect(found.clean).toBeCloseTo(1, 5);
    expect(found.own).toBeCloseTo(1, 3);
    expect(found.strong).toBeGreaterThan(1.5);
    expect(isOverfitted(found)).toBe(true);
  });

  it('finds own and strong attack equal where the loss is straight', () => {
    const found = probe(straight, x, linf(size), FGSM);
    expect(found.own).toBeCloseTo(2, 4);
    expect(found.strong).toBeCloseTo(2, 4);
    expect(found.strong).toBeGreaterThanOrEqual(found.own);
    expect(isOverfitted(found)).toBe(false);
  });

  it('searches rotations by trying ten', () => {
    let passes = 0;
    const slope = tf.reshape(tf.linspace(-1, 1, 8), [1, 1, 8, 1]);
    const losses: Losses = (input) => {
      passes += 1;
      return perImage(tf.mul(input, slope));
    };
    const still = { ...FGSM, steps: 0 };
    const { clean, own, strong } = probe(losses, x, spatial(), still);
    expect(own).toBe(clean);
    expect(strong).toBeGreaterThan(clean);
    // Clean, own (no step and one candidate: nothing to choose), the ten and the one that was kept.
    expect(passes).toBe(1 + 1 + 10 + 1);
  });

  it('is the same for the same seed and leaves no tensor', () => {
    const count = tf.memory().numTensors;
    const [first, second, other] = [3, 3, 4].map((seed) => probe(masked, x, linf(size), { ...FGSM, seed }));
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
    expect(tf.memory().numTensors).toBe(count);
  });
});

describe('isOverfitted', () => {
  it.each([
    ['own below half of the strong rise', { clean: 4, own: 4.9, strong: 6 }, true],
    ['own at half of it', { clean: 4, own: 5, strong: 6 }, false],
    ['own lowers the loss', { clean: 4, own: 3.5, strong: 4.2 }, true],
    ['a rise of under 1 % of the loss', { clean: 4, own: 4, strong: 4.03 }, false],
    ['no rise at all', { clean: 4, own: 4, strong: 4 }, false],
  ])('%s', (_what, found, expected) => {
    expect(isOverfitted(found)).toBe(expected);
  });
});
