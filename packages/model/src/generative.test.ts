import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FINDINGS, openPrepared, type PreparedData, readNpy } from '@cxr-lens/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchesOf } from './batch.ts';
import { readOut } from './engine/read-out.ts';
import { tf } from './engine/tensorflow.ts';
import { type Evaluation, evaluateRun } from './evaluate.ts';
import { explainImages } from './explain-images.ts';
import { exportRun } from './export-run.ts';
import { imageBatch, labelArray } from './images.ts';
import { loadRun } from './load-run.ts';
import { batchBeta, bceLosses } from './losses/bce.ts';
import { elboLosses } from './losses/elbo.ts';
import { readCard } from './run-folder.ts';
import { EXPORT_FORMATS, type Run, type TrainOptions } from './spec/index.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';
import { type TrainHooks, trainRun } from './train.ts';

let folder: string;
let nih: string;
let prepared: string;
let data: PreparedData;
let run: Run;
let evaluation: Evaluation;
let tensors: number;

const inside = (name: string): string => path.join(folder, name);
const OPTIONS = { batchSize: 8, maxEpochs: 2, warmupEpochs: 1 } as const;

function train(
  out: string,
  { options, ...others }: { options?: Partial<TrainOptions>; from?: string; resume?: boolean } & TrainHooks = {},
) {
  const asked = { method: 'generative', preset: 'small', data: prepared, out: inside(out) } as const;
  return trainRun({ ...asked, ...others, options: { ...OPTIONS, ...options } });
}

beforeAll(async () => {
  folder = await temporaryFolder();
  ({ nih, prepared } = await tinyData(folder));
  data = await openPrepared(prepared);
  tensors = tf.memory().numTensors;
  run = await train('run');
  evaluation = await evaluateRun({ run: inside('run'), data: prepared, resamples: 20 });
});
afterAll(() => data.close());

describe('training', () => {
  it('is of the VAE; the validation loss is all three terms, warm and without noise, beta once over the set', () => {
    expect(run).toMatchObject({ network: 'vae', featureShape: [3, 3, 64], state: 'finished', parent: null, stepsPerEpoch: 4 });
    expect(run.epochs).toHaveLength(2);
    const loaded = loadRun(inside('run'));
    const loss = tf.tidy(() => {
      const rows = data.rows('validation');
      const x = imageBatch(data, rows);
      const labels = labelArray(data, rows).data;
      const output = loaded.network.forward(x, 'inference');
      const { reconstruction, kl } = elboLosses(output, x);
      const entropy = bceLosses(output.logits, tf.tensor2d(labels, [rows.length, 14], 'float32'), batchBeta(labels));
      return tf.mean(tf.addN([reconstruction, kl, entropy])).dataSync<'float32'>()[0]!;
    });
    loaded.dispose();
    expect(run.epochs[run.bestEpoch! - 1]!.validationLoss / loss).toBeCloseTo(1, 5);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('ends with the same weights when it is stopped and resumed: noise and warm-up are of the step', async () => {
    const controller = new AbortController();
    let steps = 0;
    const onProgress: TrainHooks['onProgress'] = ({ what }) => {
      if (/epoch \d$/.test(what) && !/validation/.test(what)) steps += 1;
      if (steps === 3) controller.abort();
    };
    await expect(train('stopped', { signal: controller.signal, onProgress })).rejects.toThrow('Generative, epoch 1 was stopped');
    const resumed = await train('stopped', { resume: true });
    expect(resumed.weightsSha256).toBe(run.weightsSha256);
    expect(resumed.epochs.map(({ trainLoss }) => trainLoss)).toEqual(run.epochs.map(({ trainLoss }) => trainLoss));
    expect((await train('other-noise', { options: { seed: 1 } })).weightsSha256).not.toBe(run.weightsSha256);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('goes on with perturbed images, warm from the first step', async () => {
    const options = { maxEpochs: 1, perturbation: 'linf' } as const;
    const robust = await train('linf', { options: { ...options, warmupEpochs: 5 }, from: inside('run') });
    expect(robust.parent?.id).toBe('run');
    expect(robust.epochs[0]!.perturbedValidationLoss).toBeGreaterThan(robust.epochs[0]!.validationLoss);
    expect(robust.epochs[0]!.probe!.strong).toBeGreaterThanOrEqual(robust.epochs[0]!.probe!.own);
    await expect(train('refused', { options: { ...options, warmupEpochs: 1 }, from: inside('run') })).rejects.toThrow(
      'Option warmupEpochs: a run that goes on from converged weights is warm; leave it out.',
    );
    await expect(train('refused', { options: { fold: 1 } })).rejects.toThrow(
      'Option fold: it belongs to supervised, not to generative; leave it out.',
    );
    expect(existsSync(inside('refused'))).toBe(false);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('draws noise and weight of a step from seed, epoch and step alone', () => {
    const rows = data.rows('train').slice(0, 8);
    const loaded = loadRun(inside('run'));
    const at = (epoch: number, step: number, of: Partial<Run> = {}) => {
      const position = { epoch, step };
      let warmUp: number | undefined;
      const noise = readOut(() => {
        const batch = batchesOf({ data, run: { ...run, ...of }, network: loaded.network, position }, rows)[0]!;
        warmUp = batch.warmUp?.data[0];
        return [...batch.noise!.data];
      });
      return { noise, warmUp };
    };
    expect(at(1, 3)).toEqual(at(1, 3));
    expect(at(1, 3).noise).toHaveLength(8 * loaded.network.noiseSize);
    expect(at(1, 3).noise).not.toEqual(at(2, 3).noise);
    expect(at(1, 3).noise).not.toEqual(at(1, 2).noise);
    expect([at(1, 0), at(1, 1), at(1, 3), at(2, 0), at(3, 1)].map(({ warmUp }) => warmUp)).toEqual([0, 0.25, 0.75, 1, 1]);
    const slower = { options: { ...run.options, warmupEpochs: 4 } };
    expect([at(1, 0, slower), at(3, 2, slower), at(5, 0, slower)].map(({ warmUp }) => warmUp)).toEqual([0, 0.625, 1]);
    expect(at(1, 0, { options: { ...run.options, warmupEpochs: 0 } }).warmUp).toBe(1);
    loaded.dispose();
  });
});

describe('an evaluation', () => {
  it("scores what changes in the decoded image like a CAM, by the paper's protocol, at the size of the input", async () => {
    expect(evaluation.localization.run.protocol.name).toBe('paper');
    expect(evaluation.localization.run.findings.Mass.pairs).toBe(10);
    expect([evaluation.auc.images, evaluation.auc.excludedPatients, evaluation.localization.others]).toEqual([20, 0, []]);
    const maps = readdirSync(path.join(evaluation.folder, 'maps'));
    expect(maps).toHaveLength(10);
    const { shape, data: map } = await readNpy(path.join(evaluation.folder, 'maps', maps[0]!));
    expect(shape).toEqual([96, 96]);
    expect(Math.min(...map)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...map)).toBeGreaterThan(0);
    expect(readCard(inside('run')).camThresholds).toMatchObject({ protocol: { name: 'paper' } });
    expect(tf.memory().numTensors).toBe(tensors);
  });
});

describe('an explanation', () => {
  it('is the map that was evaluated, with the film strip whose ends it is the difference of', async () => {
    const name = '00000042_000.png';
    const loaded = loadRun(inside('run'));
    const before = tf.memory().numTensors;
    const bytes = readFileSync(path.join(nih, 'images', name));
    const [explained] = await explainImages(loaded, { images: [{ bytes, where: name }] });
    expect(tf.memory().numTensors).toBe(before);
    loaded.dispose();
    expect(Object.keys(explained!.findings)).toEqual([...FINDINGS]);
    const { cam, strip, saliency, logit } = explained!.findings['Mass']!;
    const stored = await readNpy(path.join(evaluation.folder, 'maps', '00000042_000.Mass.npy'));
    for (const [i, value] of cam.values.entries()) expect(Math.abs(stored.data[i]! - value)).toBeLessThan(1e-3);
    expect([cam.height, saliency.height]).toEqual([96, 96]);
    expect(strip!.length).toBeGreaterThan(1);
    expect(strip!.length).toBeLessThanOrEqual(8);
    const [first, last] = [strip![0]!, strip!.at(-1)!];
    expect([first.height, first.width, first.values.length]).toEqual([96, 96, 96 * 96]);
    expect([...cam.values]).toEqual([...first.values].map((value, i) => Math.fround(Math.abs(value - last.values[i]!))));
    expect(Math.max(...saliency.values.map(Math.abs))).toBeGreaterThan(0);
    const row = readFileSync(path.join(evaluation.folder, 'scores.csv'), 'utf8')
      .split('\n')
      .find((line) => line.startsWith(name))!;
    expect(logit).toBeCloseTo(Number(row.split(',')[1 + FINDINGS.indexOf('Mass')]), 4);
  });
});

it.each(EXPORT_FORMATS)('is exported as %s', (format) => {
  expect(exportRun(inside('run'), { format, out: inside(`run.${format}`) }).id).toBe('run');
  expect(existsSync(inside(`run.${format}`))).toBe(true);
  expect(tf.memory().numTensors).toBe(tensors);
});
