import { afterEach, describe, expect, it } from 'vitest';
import type { Losses } from './attack.ts';
import { tf } from './engine/tensorflow.ts';
import { gradientPenalty, penaltyDirection } from './gradient-penalty.ts';
import { bceLosses } from './losses/bce.ts';
import { densenet } from './networks/densenet.ts';
import { NETWORKS } from './spec/networks.ts';

const [B, S] = [3, 6] as const;
const step = 0.01;

afterEach(() => tf.disposeVariables());

const images = (seed: number): tf.Tensor4D => tf.randomUniform([B, S, S, 1], 0, 1, 'float32', seed);

/** The penalty's mean with its gradient with respect to the weights, as a training step takes it. */
function penalised(losses: Losses, x: tf.Tensor4D): { value: tf.Scalar; grads: tf.NamedTensorMap } {
  const direction = penaltyDirection(losses, x);
  return tf.variableGrads(() => tf.mean(gradientPenalty(losses, x, { direction, step, here: losses(x) })));
}

describe('gradientPenalty', () => {
  it('of a quadratic is half the squared length of its gradient', () => {
    tf.tidy(() => {
      const a = tf.variable(tf.tensor4d([0.5, 1, 3], [B, 1, 1, 1]));
      // a / 2 |x|^2 has the gradient a x.
      const losses: Losses = (input) => tf.mul(0.5, tf.sum(tf.mul(a, tf.square(input)), [1, 2, 3]));
      const x = images(1);
      const direction = penaltyDirection(losses, x);
      const found = gradientPenalty(losses, x, { direction, step, here: losses(x) }).dataSync();
      const squares = tf.sum(tf.square(x), [1, 2, 3]).dataSync();
      for (const [image, factor] of [0.5, 1, 3].entries()) {
        // The forward difference adds a step / 2 to the length a |x|, and float32 of a loss of 20 is 2e-6 apart.
        const length = factor * Math.sqrt(squares[image]!) + (factor * step) / 2;
        expect(found[image]! / (0.5 * length ** 2)).toBeCloseTo(1, 2);
      }
      expect(found[2]).toBeGreaterThan(found[0]!);
    });
  });

  it('of a small network has the value and the weight gradient of the exact length', () => {
    tf.tidy(() => {
      const hidden = tf.variable(tf.randomNormal([S * S, 8], 0, 0.5, 'float32', 2) as tf.Tensor2D);
      const out = tf.variable(tf.randomNormal([8, 1], 0, 1, 'float32', 3) as tf.Tensor2D);
      const inner = (input: tf.Tensor): tf.Tensor2D => tf.tanh(tf.matMul(tf.reshape(tf.sub(input, 0.5), [B, S * S]), hidden));
      const losses: Losses = (input) => tf.squeeze(tf.softplus(tf.matMul(inner(input), out)), [1]);
      const x = images(4);
      const found = penalised(losses, x);
      const expected = tf.variableGrads(() => {
        // dL/dx by the chain rule: TF.js's own second derivative of tanh is wrong (it forgets that the saved output depends on x).
        const h = inner(x);
        const slopes = tf.mul(tf.sigmoid(tf.matMul(h, out)), tf.mul(tf.sub(1, tf.square(h)), tf.transpose(out)));
        const gradient = tf.matMul(slopes as tf.Tensor2D, tf.transpose(hidden));
        return tf.mean(tf.mul(0.5, tf.sum(tf.square(gradient), [1])));
      });
      expect(found.value.dataSync()[0]! / expected.value.dataSync()[0]!).toBeCloseTo(1, 2);
      expect(Object.keys(found.grads).sort()).toEqual(Object.keys(expected.grads).sort());
      for (const [name, gradient] of Object.entries(expected.grads)) {
        const gap = tf.norm(tf.sub(found.grads[name]!, gradient)).dataSync()[0]!;
        // The forward difference's error goes with the step.
        expect(gap / tf.norm(gradient).dataSync()[0]!).toBeLessThan(0.03);
      }
    });
  });

  it('is zero, with a finite gradient, where the loss is flat', () => {
    tf.tidy(() => {
      const a = tf.variable(tf.scalar(0));
      const losses: Losses = (input) => tf.sum(tf.mul(a, input), [1, 2, 3]);
      const { value, grads } = penalised(losses, images(1));
      expect([value.dataSync()[0], grads[a.name]!.dataSync()[0]]).toEqual([0, 0]);
    });
  });

  it('works on fused batch norm, whose averages and whose tensor count it leaves as they were', () => {
    const table = { ...NETWORKS['truncated-densenet121'].small, name: 'truncated-densenet121', inputSize: 96 };
    const network = densenet(table, { mean: 0.5, std: 0.25, seed: 0 });
    const statistics = (): number[] => [...network.statistics.values()].flatMap((variable) => [...variable.dataSync()]);
    const before = statistics();
    const x = tf.randomUniform([2, 96, 96, 1], 0, 1, 'float32', 5) as tf.Tensor4D;
    const y = tf.zeros([2, 14]) as tf.Tensor2D;
    const losses: Losses = (input) => bceLosses(network.forward(input, 'frozen-batch').logits, y, 1);
    const count = tf.memory().numTensors;
    tf.tidy(() => {
      const { value, grads } = penalised(losses, x);
      const gradient = tf.grad((input) => tf.sum(losses(input as tf.Tensor4D)))(x);
      const expected = 0.25 * tf.sum(tf.square(gradient)).dataSync()[0]!;
      expect(Math.abs(value.dataSync()[0]! / expected - 1)).toBeLessThan(0.05);
      const moving = Object.values(grads).map((one) => tf.max(tf.abs(one)).dataSync()[0]!);
      expect(moving.every(Number.isFinite)).toBe(true);
      expect(Math.max(...moving)).toBeGreaterThan(0);
    });
    expect(tf.memory().numTensors).toBe(count);
    expect(statistics()).toEqual(before);
  });
});
