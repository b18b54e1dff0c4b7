import { afterAll, describe, expect, it } from 'vitest';
import { relieveMemory } from './engine/memory.ts';
import { tf } from './engine/tensorflow.ts';
import { inputGradients } from './explain.ts';
import { truncatedDensenet } from './networks/densenet.ts';
import { sgd } from './sgd.ts';
import { DEFAULT_TRAIN_OPTIONS } from './spec/index.ts';
import { noiseBatch, robustStep } from './testing.ts';

const network = truncatedDensenet({ preset: 'small', mean: 0.5, std: 0.29, seed: 0 });
const optimiser = sgd(network, DEFAULT_TRAIN_OPTIONS);
const x = tf.tidy(() => noiseBatch(network, 1, 1).x.clone());
afterAll(() => {
  network.dispose();
  optimiser.dispose();
  x.dispose();
});

describe.each([
  ['training steps of Robust', (seed: number) => void robustStep(network, optimiser, { size: 32, seed })],
  [
    'explanations of all findings',
    () => {
      tf.tidy(() => {
        const { features, logits } = network.forward(x, 'inference');
        features.dataSync();
        logits.dataSync();
      });
      inputGradients(network, x, [...new Array(14).keys()]);
    },
  ],
])('500 %s', (name, work) => {
  it('keep the tensor count, and at most 2 % more memory than after 100', () => {
    const counts: number[] = [];
    const memory: number[] = [];
    for (let step = 1; step <= 500; step++) {
      work(step);
      relieveMemory();
      if (step % 100 === 0) {
        counts.push(tf.memory().numTensors);
        memory.push(process.memoryUsage.rss());
      }
    }
    process.stderr.write(`${name}: ${memory.map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`).join(', ')}\n`);
    expect(new Set(counts).size).toBe(1);
    expect(memory.at(-1)! / memory[0]!).toBeLessThan(1.02);
  });
});
