import { afterAll, beforeAll, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { inputGradients } from './explain.ts';
import { networkOf } from './networks/build.ts';
import type { Network } from './networks/network.ts';

let network: Network;
let x: tf.Tensor4D;
beforeAll(() => {
  network = networkOf('truncated-densenet121', { preset: 'small', mean: 0.5, std: 0.25, seed: 0 });
  x = tf.randomUniform([1, 96, 96, 1], 0, 1, 'float32', 1);
});
afterAll(() => network.dispose());

const logit = (input: tf.Tensor4D, finding: number): number =>
  tf.tidy(() => network.forward(input, 'inference').logits.dataSync()[finding]!);

it('is the derivative of the logit along any direction (finite differences)', () => {
  const finding = 5;
  const [gradient] = inputGradients(network, x, [finding]);
  tf.tidy(() => {
    // Along the gradient itself the change is far above float32's rounding of the logit.
    const direction = tf.tensor4d(gradient!, [1, 96, 96, 1]);
    const square = gradient!.reduce((sum, value) => sum + value * value, 0);
    const step = 0.02 / Math.sqrt(square);
    const change = logit(tf.add(x, tf.mul(direction, step)), finding) - logit(tf.sub(x, tf.mul(direction, step)), finding);
    expect(change / (2 * step * square)).toBeCloseTo(1, 1);
  });
});

it('gives several findings at once as it gives each alone, and leaves no tensor', () => {
  const findings = [2, 13, 0, 5, 7];
  const count = tf.memory().numTensors;
  const together = inputGradients(network, x, findings);
  const alone = findings.map((finding) => inputGradients(network, x, [finding])[0]!);
  expect(tf.memory().numTensors).toBe(count);
  for (const [index, map] of together.entries()) {
    const scale = Math.max(...map.map(Math.abs));
    expect(Math.max(...map.map((value, at) => Math.abs(value - alone[index]![at]!))) / scale).toBeLessThan(1e-5);
  }
});
