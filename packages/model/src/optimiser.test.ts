import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { optimiserOf } from './optimiser.ts';

interface Reference {
  start: number[];
  gradients: number[][];
  sgd: number[][];
  adam: number[][];
}

const reference = JSON.parse(readFileSync(new URL('../reference/optimisers.json', import.meta.url), 'utf8')) as Reference;

describe.each([
  { name: 'sgd', learningRate: 0.1, kept: ['velocity.network.w'] },
  { name: 'adam', learningRate: 0.001, kept: ['moment1.network.w', 'moment2.network.w'] },
] as const)('$name', ({ name, learningRate, kept }) => {
  it("steps as PyTorch's, and leaves no tensor", () => {
    const before = tf.memory().numTensors;
    const w = tf.tidy(() => tf.variable(tf.tensor1d(reference.start), true));
    const optimiser = optimiserOf({ parameters: new Map([['network.w', w]]) }, { optimiser: name, momentum: 0.9 });
    expect([...optimiser.state.keys()]).toEqual(kept);
    for (const [index, gradient] of reference.gradients.entries()) {
      tf.tidy(() => optimiser.apply({ [w.name]: tf.tensor1d(gradient) }, optimiser.sizes({ learningRate, step: index + 1 })));
      const expected = reference[name][index]!;
      for (const [place, value] of w.dataSync().entries()) expect(value).toBeCloseTo(expected[place]!, 6);
    }
    optimiser.dispose();
    w.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
