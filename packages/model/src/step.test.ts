import { afterEach, describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { inferenceOf } from './inference.ts';
import { objectiveOf, stepInputs } from './methods.ts';
import { networkOf } from './networks/build.ts';
import { densenet } from './networks/densenet.ts';
import type { Network } from './networks/network.ts';
import { type Optimiser, optimiserOf } from './optimiser.ts';
import { defaultOptions, parseTrainOptions, type TrainOptions } from './spec/index.ts';
import { compiledStepper, eagerStepper, type StepParts } from './step.ts';
import { noiseArrays, noiseBatch, robustStep } from './testing.ts';

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

describe('compiled', () => {
  /** The losses of both, step by step, from the same weights. */
  function both(options: TrainOptions, { steps, parts = 1, atOnce = 1 }: { steps: number; parts?: number; atOnce?: number }) {
    return [eagerStepper, (of: StepParts) => compiledStepper(of, 'baseline', atOnce)].map((stepperOf) => {
      // Channels as in the paper's preset: for others oneDNN has kernels of its own for batch norm with ReLU, or for max pooling.
      const table = { name: 'truncated-densenet121', blocks: [2, 2], growth: 16, stem: 64, inputSize: 32 };
      const network = densenet(table, { mean: 0.5, std: 0.29, seed: 3 });
      const optimiser = optimiserOf(network, options);
      const stepper = stepperOf({ network, optimiser, objective: objectiveOf('baseline', options), options });
      open.push(network, optimiser, stepper);
      const all = Array.from({ length: steps }, (_, step) => {
        const batches = Array.from({ length: parts }, (_, part) => noiseArrays(network, { size: 8, seed: 10 * step + part, options }));
        return { batches, size: { learningRate: 0.01, step: step + 1 } };
      });
      const losses = stepper.take(all);
      stepper.settle();
      return { losses, values: values(network) };
    });
  }

  it('follows the Baseline over 50 steps to the last bit', () => {
    const [eager, compiled] = both(BASELINE, { steps: 50 });
    expect(eager!.losses.at(-1)).not.toBe(eager!.losses[0]);
    expect(compiled!.losses).toEqual(eager!.losses);
    expect(compiled!.values).toEqual(eager!.values);
  });

  it('takes several steps in one call, and those that are left one by one, to the last bit', () => {
    const [eager, compiled] = both({ ...BASELINE, optimiser: 'adam' }, { steps: 5, atOnce: 2 });
    expect(compiled!.losses).toEqual(eager!.losses);
    expect(compiled!.values).toEqual(eager!.values);
  });

  it.each([
    { perturbation: 'linf', attackSteps: 2, attackStart: 'random' },
    { perturbation: 'l2', attackCandidates: 2 },
    { perturbation: 'spatial', attackCandidates: 3 },
    { perturbation: 'spatial', attackSteps: 2, attackCandidates: 1 },
    { perturbation: 'noise' },
    { perturbation: 'none', gradientPenalty: 0.1 },
  ])('%o: the loss of a step is the eager one', (said) => {
    const [eager, compiled] = both(parseTrainOptions('robust', said), { steps: 1 });
    expect(compiled!.losses[0]! / eager!.losses[0]!).toBeCloseTo(1, 5);
  });

  it('adds up the parts of a batch', () => {
    const options = { ...BASELINE, batchSize: 24, accumulation: 3 };
    const [eager, compiled] = both(options, { steps: 3, parts: 3 });
    for (const [step, loss] of compiled!.losses.entries()) expect(loss / eager!.losses[step]!).toBeCloseTo(1, 6);
    const gaps = compiled!.values.flatMap((own, at) => own.map((value, index) => Math.abs(value - eager!.values[at]![index]!)));
    expect(Math.max(...gaps)).toBeLessThan(1e-5);
  });
});

it('averages the gradients of the parts of a batch', () => {
  const size = { learningRate: 0.01, step: 1 };
  const after = (seeds: readonly number[]): number[] => {
    const { network, optimiser } = make();
    const training = { network, optimiser, objective: objectiveOf('baseline', BASELINE), options: BASELINE };
    eagerStepper(training).take([{ batches: seeds.map((seed) => noiseArrays(network, { size: 4, seed, options: BASELINE })), size }]);
    return [...network.parameters.values()].flatMap((parameter) => [...parameter.dataSync()]);
  };
  const [both, first, second] = [after([1, 2]), after([1]), after([2])];
  expect(first).not.toEqual(second);
  for (const [place, value] of both.entries()) expect(Math.abs(value - (first[place]! + second[place]!) / 2)).toBeLessThan(1e-6);
});

it('perturbs floor(B / 2) images, each by at most epsilon, and no other', () => {
  const { network } = make();
  tf.tidy(() => {
    const batch = noiseBatch(network, { size: 7, seed: 1 });
    const perturbed = [...batch.perturbation!.chosen.dataSync()];
    const x = stepInputs(network, batch, { objective: objectiveOf('robust', ROBUST), options: ROBUST });
    const changed = tf.max(tf.abs(tf.sub(x, batch.x)), [1, 2, 3]).dataSync();
    expect(perturbed.reduce((sum, one) => sum + one, 0)).toBe(3);
    for (const [index, most] of changed.entries()) {
      if (perturbed[index]) expect(most).toBeCloseTo(ROBUST.epsilon, 6);
      else expect(most).toBe(0);
    }
  });
});

it('has as many tensors after steps and explanations as before', () => {
  const { network, optimiser } = make();
  const count = tf.memory().numTensors;
  for (const seed of [1, 2, 3]) {
    robustStep(network, optimiser, { size: 4, seed });
    inferenceOf(network).saliency(new Uint8Array(96 * 96).fill(128 + seed), [0, 13]);
  }
  expect(tf.memory().numTensors).toBe(count);
});
