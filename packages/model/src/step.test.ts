import { afterEach, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { inputGradients } from './explain.ts';
import { objectiveOf, stepInputs } from './methods.ts';
import { networkOf } from './networks/build.ts';
import type { Network } from './networks/network.ts';
import { type Optimiser, optimiserOf } from './optimiser.ts';
import { defaultOptions } from './spec/index.ts';
import { noiseBatch, robustStep } from './testing.ts';
import { takeStep } from './train.ts';

const ROBUST = defaultOptions('robust');
const BASELINE = defaultOptions('baseline');

const open: { dispose(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.dispose();
});

function make(): { network: Network; optimiser: Optimiser } {
  const network = networkOf('truncated-densenet121', { preset: 'small', mean: 0.5, std: 0.29, seed: 7 });
  const optimiser = optimiserOf(network, ROBUST);
  open.push(network, optimiser);
  return { network, optimiser };
}

const values = ({ parameters, statistics }: Network): number[][] =>
  [...parameters.values(), ...statistics.values()].map((variable) => [...variable.dataSync()]);

it('takes the same steps again to the last bit', () => {
  const [first, second] = [make(), make()];
  const losses = [first, second].map(({ network, optimiser }) =>
    [1, 2, 3].map((seed) => robustStep(network, optimiser, { size: 8, seed })),
  );
  expect(losses[0]).toEqual(losses[1]);
  expect(values(first.network)).toEqual(values(second.network));
});

it('averages the gradients of the parts of a batch', () => {
  const size = { learningRate: 0.01, step: 1 };
  const after = (seeds: readonly number[]): number[] => {
    const { network, optimiser } = make();
    const training = { network, optimiser, objective: objectiveOf('baseline', BASELINE), options: BASELINE };
    tf.tidy(
      () =>
        void takeStep(
          training,
          seeds.map((seed) => noiseBatch(network, 4, seed)),
          size,
        ),
    );
    return [...network.parameters.values()].flatMap((parameter) => [...parameter.dataSync()]);
  };
  const [both, first, second] = [after([1, 2]), after([1]), after([2])];
  expect(first).not.toEqual(second);
  for (const [place, value] of both.entries()) expect(Math.abs(value - (first[place]! + second[place]!) / 2)).toBeLessThan(1e-6);
});

it('perturbs floor(B / 2) images, each by at most epsilon, and no other', () => {
  const { network } = make();
  tf.tidy(() => {
    const batch = noiseBatch(network, 7, 1);
    const x = stepInputs(network, batch, { objective: objectiveOf('robust', ROBUST), options: ROBUST });
    const changed = tf.max(tf.abs(tf.sub(x, batch.x)), [1, 2, 3]).dataSync();
    expect(batch.perturbed.reduce((sum, one) => sum + one, 0)).toBe(3);
    for (const [index, most] of changed.entries()) {
      if (batch.perturbed[index]) expect(most).toBeCloseTo(ROBUST.epsilon, 6);
      else expect(most).toBe(0);
    }
  });
});

it('has as many tensors after steps and explanations as before', () => {
  const { network, optimiser } = make();
  const x = tf.tidy(() => noiseBatch(network, 1, 1).x.clone());
  const count = tf.memory().numTensors;
  for (const seed of [1, 2, 3]) {
    robustStep(network, optimiser, { size: 4, seed });
    inputGradients(network, x, [0, 13]);
  }
  expect(tf.memory().numTensors).toBe(count);
  x.dispose();
});
