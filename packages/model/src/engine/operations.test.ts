import { afterEach, describe, expect, it } from 'vitest';
import { type BatchNormState, batchNormOfAverages, batchNormOfBatch, meanOfMap, relu, statisticsOf } from './operations.ts';
import { tf } from './tensorflow.ts';

const EPSILON = 1e-5;
const [B, H, W, C] = [4, 5, 3, 6] as const;

function make(): { x: tf.Tensor4D; weights: tf.Tensor4D; state: BatchNormState } {
  return {
    x: tf.randomNormal([B, H, W, C], 0.7, 1.3, 'float32', 1),
    weights: tf.randomNormal([B, H, W, C], 0, 1, 'float32', 2),
    state: {
      scale: tf.variable(tf.randomUniform([C], 0.5, 1.5, 'float32', 3)),
      offset: tf.variable(tf.randomNormal([C], 0, 1, 'float32', 4)),
      mean: tf.variable(tf.randomNormal([C], 0, 1, 'float32', 5), false),
      variance: tf.variable(tf.randomUniform([C], 0.5, 1.5, 'float32', 6), false),
    },
  };
}

/** Batch norm put together from TF.js's plain operations. */
function plain(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, by?: { mean: tf.Tensor; variance: tf.Tensor }): tf.Tensor {
  const { mean, variance } = by ?? tf.moments(x, [0, 1, 2]);
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON))), scale), offset);
}

function gap(a: tf.Tensor, b: tf.Tensor): number {
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;
}

afterEach(() => tf.disposeVariables());

describe('batch norm', () => {
  it.each(['batch', 'known statistics of the batch', 'averages'] as const)(
    'by the %s: value and gradients are those of the plain operations',
    (by) => {
      const { x, weights, state } = make();
      const fused = (input: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor => {
        const given = { ...state, scale, offset };
        const statistics = by === 'batch' ? undefined : statisticsOf(x);
        const y =
          by === 'averages'
            ? batchNormOfAverages(input as tf.Tensor4D, given)
            : batchNormOfBatch(input as tf.Tensor4D, given, { momentum: null, statistics });
        return tf.sum(tf.mul(y, weights));
      };
      const composed = (input: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor =>
        tf.sum(tf.mul(plain(input, scale, offset, by === 'averages' ? state : undefined), weights));
      const found = tf.valueAndGrads(fused)([x, state.scale, state.offset]);
      const expected = tf.valueAndGrads(composed)([x, state.scale, state.offset]);
      expect(gap(found.value, expected.value)).toBeLessThan(1e-3);
      for (const [index, gradient] of found.grads.entries()) expect(gap(gradient, expected.grads[index]!)).toBeLessThan(1e-4);
    },
  );

  it.each([false, true])('moves its averages by the momentum towards mean and unbiased variance, as PyTorch (known: %s)', (known) => {
    const { x, state } = make();
    const [mean, variance] = [state.mean.clone(), state.variance.clone()];
    batchNormOfBatch(x, state, { momentum: 0.1, statistics: known ? statisticsOf(x) : undefined });
    const moments = tf.moments(x, [0, 1, 2]);
    const count = B * H * W;
    expect(gap(state.mean, tf.add(tf.mul(mean, 0.9), tf.mul(moments.mean, 0.1)))).toBeLessThan(1e-6);
    const unbiased = tf.mul(moments.variance, count / (count - 1));
    expect(gap(state.variance, tf.add(tf.mul(variance, 0.9), tf.mul(unbiased, 0.1)))).toBeLessThan(1e-6);
  });

  it('leaves its averages alone without a momentum, and by the averages', () => {
    const { x, state } = make();
    const before = [...state.mean.dataSync(), ...state.variance.dataSync()];
    batchNormOfBatch(x, state, { momentum: null });
    batchNormOfAverages(x, state);
    expect([...state.mean.dataSync(), ...state.variance.dataSync()]).toEqual(before);
  });
});

describe('relu', () => {
  it('has the value and gradient of max(x, 0)', () => {
    const x = tf.tensor4d([-2, -0.5, 0, 3], [1, 2, 2, 1]);
    const { value, grad } = tf.valueAndGrad((input) => tf.sum(tf.mul(relu(input as tf.Tensor4D), [5])))(x);
    expect(value.dataSync()[0]).toBe(15);
    expect([...grad.dataSync()]).toEqual([0, 0, 0, 5]);
  });
});

it("averages a map, with the gradient that TF.js's own mean has", () => {
  const { x } = make();
  const by = tf.randomNormal([B, C], 0, 1, 'float32', 7);
  const both = [meanOfMap, (input: tf.Tensor4D) => tf.mean(input, [1, 2])].map((mean) =>
    tf.valueAndGrad((input) => mean(input as tf.Tensor4D))(x, by),
  );
  expect(gap(both[0]!.value, both[1]!.value)).toBe(0);
  expect(gap(both[0]!.grad, both[1]!.grad)).toBe(0);
});
