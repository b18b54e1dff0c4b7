import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attack } from './attack.ts';
import { tf } from './engine/tensorflow.ts';
import { weightedBce } from './loss.ts';
import { truncatedDensenet } from './networks/densenet.ts';
import type { Mode, Network } from './networks/network.ts';
import { linf } from './threats.ts';

const EPSILON = 0.005;
// float32 near 1 is 6e-8 apart.
const ROUNDING = 1e-7;
const B = 4;

let network: Network;
let x: tf.Tensor4D;
let y: tf.Tensor2D;
beforeAll(() => {
  network = truncatedDensenet({ preset: 'small', mean: 0.5, std: 0.25, seed: 0 });
  // Black and white pixels too, so that clipping to [0, 1] matters.
  x = tf.tidy(() => tf.clipByValue(tf.randomUniform([B, 96, 96, 1], -0.3, 1.3, 'float32', 1), 0, 1) as tf.Tensor4D);
  y = tf.tidy(() => tf.cast(tf.less(tf.randomUniform([B, 14], 0, 1, 'float32', 2), 0.2), 'float32') as tf.Tensor2D);
});
afterAll(() => {
  tf.disposeVariables();
});

const lossOf = (mode: Mode) => (input: tf.Tensor4D) => weightedBce(network.forward(input, mode).logits, y, 4);
const statistics = (): number[] => [...network.statistics.values()].flatMap((variable) => [...variable.dataSync()]);

describe('attack', () => {
  it('FGSM moves every pixel by epsilon along the sign of the gradient, within [0, 1], and raises the loss', () => {
    tf.tidy(() => {
      const moved = attack(lossOf('frozen-batch'), x, linf(EPSILON));
      const expected = tf.clipByValue(
        tf.add(x, tf.mul(tf.sign(tf.grad((input) => lossOf('frozen-batch')(input as tf.Tensor4D))(x)), EPSILON)),
        0,
        1,
      );
      expect(tf.max(tf.abs(tf.sub(moved, expected))).dataSync()[0]).toBeLessThan(ROUNDING);
      expect(tf.max(tf.abs(tf.sub(moved, x))).dataSync()[0]).toBeLessThanOrEqual(EPSILON + ROUNDING);
      expect(tf.min(moved).dataSync()[0]).toBeGreaterThanOrEqual(0);
      expect(tf.max(moved).dataSync()[0]).toBeLessThanOrEqual(1);
      const [before, after] = [x, moved].map((input) => lossOf('frozen-batch')(input).dataSync()[0]!);
      expect(after).toBeGreaterThan(before!);
    });
  });

  it('of several steps stays within epsilon and reaches at least what FGSM reaches', () => {
    tf.tidy(() => {
      const loss = lossOf('inference');
      const [once, often] = [1, 5].map((steps) => attack(loss, x, linf(EPSILON), steps));
      expect(tf.max(tf.abs(tf.sub(often!, x))).dataSync()[0]).toBeLessThanOrEqual(EPSILON + ROUNDING);
      expect(loss(often!).dataSync()[0]).toBeGreaterThanOrEqual(loss(once!).dataSync()[0]! * 0.99);
    });
  });

  it('with epsilon 0 changes nothing', () => {
    tf.tidy(() => {
      const moved = attack(lossOf('inference'), x, linf(0));
      expect(tf.max(tf.abs(tf.sub(moved, x))).dataSync()[0]).toBe(0);
    });
  });

  it("leaves batch norm's averages and the tensor count as they were", () => {
    const before = statistics();
    const count = tf.memory().numTensors;
    attack(lossOf('frozen-batch'), x, linf(EPSILON)).dispose();
    attack(lossOf('inference'), x, linf(EPSILON)).dispose();
    expect(statistics()).toEqual(before);
    expect(tf.memory().numTensors).toBe(count);
    // The averages can move: the check above is not empty.
    tf.tidy(() => {
      network.forward(x, 'train');
    });
    expect(statistics()).not.toEqual(before);
  });
});
