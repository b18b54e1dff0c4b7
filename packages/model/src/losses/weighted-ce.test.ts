import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { batchBeta, bceLosses } from './bce.ts';
import { weightedCeLosses } from './weighted-ce.ts';

const [B, FINDINGS] = [5, 14] as const;
const logits = Float32Array.from({ length: B * FINDINGS }, (_, index) => 3 * Math.sin(7 * index));
const labels = Float32Array.from({ length: B * FINDINGS }, (_, index) => (index % 9 === 0 ? 1 : 0));

/** W-CEL of one image as it is printed, in double precision. */
function printed(z: ArrayLike<number>, image: number): number {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const negatives = labels.length - positives;
  let [present, absent] = [0, 0];
  for (let i = image * FINDINGS; i < (image + 1) * FINDINGS; i++) {
    const f = 1 / (1 + Math.exp(-z[i]!));
    if (labels[i] === 1) present += Math.log(f);
    else absent += Math.log(1 - f);
  }
  return -((positives + negatives) / positives) * present - ((positives + negatives) / negatives) * absent;
}

const y = (): tf.Tensor2D => tf.tensor2d(labels, [B, FINDINGS]);
const z = (): tf.Tensor2D => tf.tensor2d(logits, [B, FINDINGS]);

describe('weightedCeLosses', () => {
  it('is W-CEL, one value an image, and leaves no tensor but it', () => {
    const [input, target] = [z(), y()];
    const count = tf.memory().numTensors;
    const losses = weightedCeLosses(input, target, batchBeta(labels));
    expect(tf.memory().numTensors).toBe(count + 1);
    expect(losses.shape).toEqual([B]);
    for (const [image, value] of losses.dataSync().entries()) expect(value / printed(logits, image)).toBeCloseTo(1, 5);
  });

  it('is Eq. 1 times (P + N) / N', () => {
    const positives = labels.reduce((sum, label) => sum + label, 0);
    const factor = labels.length / (labels.length - positives);
    const found = weightedCeLosses(z(), y(), batchBeta(labels)).dataSync();
    const equation1 = bceLosses(z(), y(), batchBeta(labels)).dataSync();
    for (const [image, value] of found.entries()) expect(value / (equation1[image]! * factor)).toBeCloseTo(1, 5);
  });

  it('has the gradient that finite differences give', () => {
    const gradient = tf
      .grad((input) => tf.sum(weightedCeLosses(input as tf.Tensor2D, y(), batchBeta(labels))))(z())
      .dataSync();
    const step = 1e-5;
    for (let i = 0; i < logits.length; i++) {
      const moved = (by: number): Float64Array => Float64Array.from(logits, (value, index) => (index === i ? value + by : value));
      const image = Math.floor(i / FINDINGS);
      expect(gradient[i]).toBeCloseTo((printed(moved(step), image) - printed(moved(-step), image)) / (2 * step), 4);
    }
  });

  it('stays finite where a sigmoid is 0 or 1', () => {
    const saturated = tf.tensor2d([[200, -200, 200, -200]]);
    const loss = (input: tf.Tensor): tf.Scalar => tf.sum(weightedCeLosses(input as tf.Tensor2D, tf.tensor2d([[1, 1, 0, 0]]), 2));
    const { value, grad } = tf.valueAndGrad(loss)(saturated);
    expect(value.dataSync()[0]).toBeCloseTo(3 * 200 + 1.5 * 200, 3);
    expect([...grad.dataSync()]).toEqual([0, -3, 1.5, 0].map((expected) => expect.closeTo(expected, 6)));
  });
});
