import { afterEach, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { inputGradients } from './explain.ts';
import { objectiveOf, stepInputs } from './methods.ts';
import { networkOf } from './networks/build.ts';
import type { Network } from './networks/network.ts';
import { type Sgd, sgd } from './sgd.ts';
import { defaultOptions } from './spec/index.ts';
import { noiseBatch, robustStep } from './testing.ts';

const ROBUST = defaultOptions('robust');

const open: { dispose(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.dispose();
});

function make(): { network: Network; optimiser: Sgd } {
  const network = networkOf('truncated-densenet121', { preset: 'small', mean: 0.5, std: 0.29, seed: 7 });
  const optimiser = sgd(network, ROBUST);
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

it('perturbs floor(B / 2) images, each by at most epsilon, and no other', () => {
  const { network } = make();
  tf.tidy(() => {
    const batch = noiseBatch(network, 7, 1);
    const x = stepInputs(network, batch, { objective: objectiveOf('robust'), options: ROBUST });
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
