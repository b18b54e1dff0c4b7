import { expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { sgd } from './sgd.ts';

it("steps as PyTorch's SGD, whose learning rate is not inside the velocity", () => {
  // torch.optim.SGD([w], lr=0.1, momentum=0.9) with w = 1 and gradients 1, 2, -1 by hand:
  // v = 1, 2.9, 1.61; w = 0.9, 0.61, 0.449
  const before = tf.memory().numTensors;
  const w = tf.tidy(() => tf.variable(tf.tensor1d([1]), true));
  const parameters = new Map([['network.w', w]]);
  const optimiser = sgd({ parameters }, { learningRate: 0.1, momentum: 0.9 });
  const steps = [1, 2, -1].map((gradient) => {
    tf.tidy(() => optimiser.apply({ [w.name]: tf.tensor1d([gradient]) }));
    return w.dataSync()[0]!;
  });
  for (const [index, expected] of [0.9, 0.61, 0.449].entries()) expect(steps[index]).toBeCloseTo(expected, 6);
  expect(optimiser.velocities.get('network.w')!.dataSync()[0]).toBeCloseTo(1.61, 6);
  optimiser.dispose();
  w.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
