import path from 'node:path';
import { encodeGreyPng, random } from '@cxr-lens/data';
import { expect, it } from 'vitest';
import { relieveMemory } from './engine/memory.ts';
import { tf } from './engine/tensorflow.ts';
import { explainImages } from './explain-images.ts';
import { loadRun } from './load-run.ts';
import { objectiveOf } from './methods.ts';
import { networkOf } from './networks/build.ts';
import { optimiserOf } from './optimiser.ts';
import { defaultOptions } from './spec/index.ts';
import { compiledStepper } from './step.ts';
import { noiseArrays } from './testing.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';
import { trainRun } from './train.ts';

const ROBUST = defaultOptions('robust');

/** Does `work` so many times: as many tensors, and at most 2 % more memory, at the end as after the first fifth. */
async function staysFlat(name: string, times: number, work: (time: number) => void | Promise<void>): Promise<void> {
  const counts: number[] = [];
  const memory: number[] = [];
  for (let time = 1; time <= times; time++) {
    await work(time);
    relieveMemory();
    if (time % (times / 5) !== 0) continue;
    counts.push(tf.memory().numTensors);
    memory.push(process.memoryUsage.rss());
  }
  process.stderr.write(`${name}: ${memory.map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`).join(', ')}\n`);
  expect(new Set(counts).size).toBe(1);
  expect(memory.at(-1)! / memory[0]!).toBeLessThan(1.02);
}

it('2000 training steps of Robust', async () => {
  const network = networkOf('truncated-densenet121', { preset: 'small', mean: 0.5, std: 0.29, seed: 0 });
  const optimiser = optimiserOf(network, ROBUST);
  const stepper = compiledStepper({ network, optimiser, objective: objectiveOf('robust', ROBUST), options: ROBUST }, 'robust');
  await staysFlat('steps', 2000, (step) => {
    const batches = [noiseArrays(network, { size: 4, seed: step })];
    stepper.take([{ batches, size: { learningRate: ROBUST.learningRate, step } }]);
  });
  stepper.dispose();
  network.dispose();
  optimiser.dispose();
});

it('500 explanations of all findings of an uploaded PNG', async () => {
  const folder = await temporaryFolder();
  const { prepared: data } = await tinyData(folder);
  const out = path.join(folder, 'run');
  await trainRun({ method: 'baseline', preset: 'small', data, out, options: { batchSize: 8, maxEpochs: 1 } });
  const loaded = loadRun(out);
  const { next } = random('upload');
  const bytes = await encodeGreyPng({ width: 512, height: 512, pixels: Uint8Array.from({ length: 512 * 512 }, () => 256 * next()) });
  await staysFlat('explanations', 500, async () => {
    await explainImages(loaded, { images: [{ bytes, where: 'upload.png' }] });
  });
  loaded.dispose();
});
