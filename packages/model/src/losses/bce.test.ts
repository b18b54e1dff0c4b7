import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { batchBeta, bceLosses } from './bce.ts';

/** Eq. 1: the mean over the batch. */
const weightedBce = (z: tf.Tensor2D, labels: tf.Tensor2D, beta: number): tf.Scalar => tf.mean(bceLosses(z, labels, beta));

const [B, FINDINGS] = [5, 14] as const;

function example(): { logits: Float32Array; labels: Float32Array; beta: number } {
  const logits = Float32Array.from({ length: B * FINDINGS }, (_, index) => 3 * Math.sin(7 * index));
  const labels = Float32Array.from({ length: B * FINDINGS }, (_, index) => (index % 9 === 0 ? 1 : 0));
  return { logits, labels, beta: batchBeta(labels) };
}

/** Eq. 1 as it is printed, in double precision. */
function printed(logits: ArrayLike<number>, labels: ArrayLike<number>, beta: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const f = 1 / (1 + Math.exp(-logits[i]!));
    sum -= beta * labels[i]! * Math.log(f) + (1 - labels[i]!) * Math.log(1 - f);
  }
  return sum / B;
}

describe('bceLosses', () => {
  const { logits, labels, beta } = example();
  const y = (): tf.Tensor2D => tf.tensor2d(labels, [B, FINDINGS]);

  it('is Eq. 1: beta on the positives, the sum over the findings, the mean over the batch', () => {
    const value = tf.tidy(() => weightedBce(tf.tensor2d(logits, [B, FINDINGS]), y(), beta).dataSync()[0]!);
    expect(beta).toBeGreaterThan(5);
    expect(value).toBeCloseTo(printed(logits, labels, beta), 3);
  });

  it('has the gradient that finite differences of Eq. 1 give, with beta', () => {
    const gradient = tf.tidy(() =>
      tf
        .grad((z) => weightedBce(z as tf.Tensor2D, y(), beta))(tf.tensor2d(logits, [B, FINDINGS]))
        .dataSync(),
    );
    const step = 1e-5;
    for (let i = 0; i < logits.length; i++) {
      const [up, down] = [1, -1].map((sign) => {
        const moved = Float64Array.from(logits);
        moved[i]! += sign * step;
        return printed(moved, labels, beta);
      });
      expect(gradient[i]).toBeCloseTo((up! - down!) / (2 * step), 4);
    }
  });

  it('stays finite where a sigmoid is 0 or 1', () => {
    const z = tf.tensor2d([[200, -200, 200, -200]]);
    const labels = tf.tensor2d([[1, 1, 0, 0]]);
    const { value, grad } = tf.valueAndGrad((input) => weightedBce(input as tf.Tensor2D, labels, 2))(z);
    expect(value.dataSync()[0]).toBeCloseTo(2 * 200 + 200, 3);
    expect([...grad.dataSync()]).toEqual([0, -2, 1, 0].map((expected) => expect.closeTo(expected, 6)));
  });
});

describe('batchBeta', () => {
  it('is negatives / positives over all labels, 1 where none is positive', () => {
    expect(batchBeta([1, 0, 0, 0, 1, 0, 0, 0])).toBe(3);
    expect(batchBeta([0, 0])).toBe(1);
  });
});
