import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { loadRun } from './load-run.ts';
import type { TrainRequest } from './plan.ts';
import { readCard, readRun, runFiles, writeCard } from './run-folder.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
import type { Run } from './spec/index.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';
import { type TrainHooks, trainRun } from './train.ts';

let folder: string;
let data: string;
let baseline: Run;
let robust: Run;

const inside = (name: string): string => path.join(folder, name);

function request(out: string, changes: Partial<TrainRequest & TrainHooks> = {}): TrainRequest & TrainHooks {
  const { options, ...others } = changes;
  return { method: 'baseline', preset: 'small', data, out: inside(out), options: { batchSize: 8, maxEpochs: 2, ...options }, ...others };
}

const robustFrom = (from: string): Partial<TrainRequest> => ({ method: 'robust', from: inside(from) });

/** An AbortController that aborts after so many training steps. */
function abortAfter(steps: number): Pick<TrainHooks, 'signal' | 'onProgress'> {
  const controller = new AbortController();
  let seen = 0;
  const onProgress: TrainHooks['onProgress'] = ({ what }) => {
    if (!/validation/.test(what)) seen += 1;
    if (seen === steps) controller.abort();
  };
  return { signal: controller.signal, onProgress };
}

beforeAll(async () => {
  folder = await temporaryFolder();
  data = (await tinyData(folder)).prepared;
  baseline = await trainRun(request('baseline'));
  robust = await trainRun(request('robust', robustFrom('baseline')));
});

describe('training', () => {
  it('leaves a run folder that says everything', () => {
    expect(readdirSync(inside('baseline')).sort()).toEqual(['card.json', 'checkpoints', 'run.json', 'weights.safetensors']);
    expect(readRun(inside('baseline'))).toEqual(baseline);
    expect(baseline).toMatchObject({
      id: 'baseline',
      state: 'finished',
      initialisation: 'he-normal',
      parent: null,
      stepsPerEpoch: 4,
      featureShape: [12, 12, 132],
      data: { images: { train: 36, validation: 4, test: 20 }, synthetic: false },
      options: { batchSize: 8, learningRate: 0.01, momentum: 0.9 },
    });
    expect(baseline.epochs.map(({ epoch, perturbedValidationLoss }) => [epoch, perturbedValidationLoss])).toEqual([
      [1, null],
      [2, null],
    ]);
    const losses = baseline.epochs.map(({ validationLoss }) => validationLoss);
    expect(baseline.bestEpoch).toBe(losses.indexOf(Math.min(...losses)) + 1);
    expect(JSON.stringify(baseline)).not.toContain(folder);
    expect(readdirSync(path.join(inside('baseline'), 'checkpoints'))).toEqual(['last.safetensors']);
  });

  it('continues the Baseline as Robust, with the loss of the perturbed mixture beside the clean one', () => {
    expect(robust.parent).toEqual({ id: 'baseline', method: 'baseline', weightsSha256: baseline.weightsSha256 });
    expect(robust.initialisation).toBe('run');
    for (const { validationLoss, perturbedValidationLoss } of robust.epochs)
      expect(perturbedValidationLoss).toBeGreaterThan(validationLoss);
  });

  it('writes a card with reasons where the validation images are too few', () => {
    const card = readCard(inside('baseline'));
    expect(card.calibration['Mass']).toMatchObject({ platt: null, operatingPoint: null, reason: '4 positive validation images: under 10' });
    expect(card.camThresholds).toBeNull();
    expect(card.weightsSha256).toBe(baseline.weightsSha256);
  });

  it('ends with the same weights when it is stopped in the middle of an epoch and resumed, and holds no tensor more', async () => {
    const before = tf.memory().numTensors;
    await expect(trainRun(request('stopped', { ...abortAfter(6) }))).rejects.toThrow(/Baseline, epoch 2 was stopped/);
    expect(readRun(inside('stopped')).state).toBe('cancelled');
    writeFileSync(path.join(inside('stopped'), 'checkpoints', 'best-7.safetensors'), '');
    const resumed = await trainRun(request('stopped', { resume: true }));
    expect(resumed.weightsSha256).toBe(baseline.weightsSha256);
    expect(readdirSync(path.join(inside('stopped'), 'checkpoints'))).toEqual(['last.safetensors']);
    expect(resumed.epochs.map(({ trainLoss }) => trainLoss)).toEqual(baseline.epochs.map(({ trainLoss }) => trainLoss));

    const halves = { ...robustFrom('baseline'), ...abortAfter(2) };
    await expect(trainRun(request('stopped-robust', halves))).rejects.toThrow(CxrError);
    const again = await trainRun(request('stopped-robust', { ...robustFrom('baseline'), resume: true }));
    expect(again.weightsSha256).toBe(robust.weightsSha256);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('goes on with Adam, mirrored images and a batch in parts as if it had not been stopped', async () => {
    const options = { optimiser: 'adam', learningRate: 0.001, plateauPatience: 1, flip: 'horizontal', accumulation: 2 } as const;
    const whole = await trainRun(request('adam', { options }));
    await expect(trainRun(request('stopped-adam', { options, ...abortAfter(6) }))).rejects.toThrow(/epoch 2 was stopped/);
    const resumed = await trainRun(request('stopped-adam', { options, resume: true }));
    expect(resumed.weightsSha256).toBe(whole.weightsSha256);
    expect(whole.weightsSha256).not.toBe(baseline.weightsSha256);
    expect(resumed.epochs.map(({ validationLoss }) => validationLoss)).toEqual(whole.epochs.map(({ validationLoss }) => validationLoss));
  });

  it('ends with the epoch that uses up its steps', async () => {
    const { epochs, stepsPerEpoch } = await trainRun(request('steps', { options: { maxSteps: 1, maxEpochs: 9 } }));
    expect([epochs.length, stepsPerEpoch > 1]).toEqual([1, true]);
  });

  describe('whose validation loss stays the same after the first epoch', () => {
    // 4 steps an epoch: 10 steps are over after 3 epochs
    const still = { learningRate: 1e-30, runningMomentum: 1e-30, patience: 2, patienceSteps: 10, maxEpochs: 9 };

    it('ends after the longer of `patience` epochs and `patienceSteps` steps without a smaller one', async () => {
      const run = await trainRun(request('still', { options: still }));
      expect([run.stepsPerEpoch, run.bestEpoch, run.epochs.length]).toEqual([4, 1, 4]);
    });

    it('ends by the epochs alone where the run was begun before there was `patienceSteps`', async () => {
      await expect(trainRun(request('old', { options: still, ...abortAfter(2) }))).rejects.toThrow(/was stopped/);
      const file = path.join(inside('old'), 'run.json');
      const { options, ...run } = JSON.parse(readFileSync(file, 'utf8')) as { options: { patienceSteps?: number } };
      delete options.patienceSteps;
      writeFileSync(file, JSON.stringify({ ...run, options }));
      const ended = await trainRun({ ...request('old', { resume: true }), options: {} });
      expect([ended.epochs.length, ended.options.patienceSteps]).toEqual([3, 0]);
      expect(readRun(inside('old')).options.patienceSteps).toBe(0);
    });
  });

  it('returns a finished run as it is when it is asked to resume it', async () => {
    expect(await trainRun(request('baseline', { resume: true }))).toEqual(baseline);
  });

  it('names metric and step when a loss is no number, and keeps what was there', async () => {
    const asked = request('diverged', { options: { learningRate: 1e30 } });
    await expect(trainRun(asked)).rejects.toThrow(
      /^The (training|validation) loss is (NaN|Infinity) at epoch 1, step \d: lower learningRate/,
    );
    expect(readRun(inside('diverged'))).toMatchObject({ state: 'failed', error: { code: 'BAD_INPUT' }, epochs: [] });
  });

  it('fails where the best weights answer an image of noise with no number: their card could not be read', async () => {
    // as the weights that a step far too long leaves: finite, and too large for float32 to add up
    const onEpoch = (): void => {
      const file = path.join(inside('overflow'), 'checkpoints', 'best-1.safetensors');
      const { tensors } = decodeSafetensors(readFileSync(file), file);
      tensors.get('network.head.bias')!.data.fill(3e38);
      tensors.get('network.head.kernel')!.data.fill(3e38);
      writeFileSync(file, encodeSafetensors(tensors));
    };
    await expect(trainRun(request('overflow', { onEpoch, options: { maxEpochs: 1 } }))).rejects.toThrow(
      "Training ended, but the network's logit of Atelectasis is Infinity on an image of noise, expected a number: lower learningRate (now 0.01)",
    );
    expect(readRun(inside('overflow'))).toMatchObject({ state: 'failed', error: { code: 'BAD_INPUT' } });
    expect(existsSync(path.join(inside('overflow'), 'card.json'))).toBe(false);
  });

  it('writes nothing more once beforeWrite refuses', async () => {
    let left = 2;
    const beforeWrite = async (): Promise<void> => {
      left -= 1;
      if (left < 0) throw new CxrError('CONFLICT', 'another attempt has taken over');
    };
    const asked = request('fenced', { options: { checkpointSeconds: 0 }, beforeWrite });
    await expect(trainRun(asked)).rejects.toThrow('another attempt has taken over');
    expect(readRun(inside('fenced')).state).toBe('training');
    expect(existsSync(path.join(inside('fenced'), 'weights.safetensors'))).toBe(false);
  });
});

describe('what is refused before anything is written', () => {
  it.each<[string, () => Partial<TrainRequest>, RegExp]>([
    ['data of another size', () => ({ preset: 'paper' }), /holds images of 96 x 96; preset paper takes 224 x 224/],
    ['a missing data file', () => ({ data: inside('none.cxr') }), /none\.cxr/],
    ['a batch larger than the data', () => ({ options: { batchSize: 64 } }), /36 training images: fewer than one batch of 64/],
    ['an option of another method', () => ({ options: { epsilon: 0.01 } }), /baseline does not perturb/],
    ['Robust from nothing', () => ({ method: 'robust' }), /starts from a converged baseline run: name its folder with --from/],
    ['Robust from Robust', () => robustFrom('robust'), /is a robust run; robust starts from a baseline run/],
    ['Robust from a folder without a run', () => robustFrom('nih'), /is no run folder: it has no run\.json/],
    ['Baseline from a run', () => ({ from: inside('baseline') }), /starts from fresh weights/],
  ])('%s', async (_name, changes, message) => {
    await expect(trainRun(request('refused', changes()))).rejects.toThrow(message);
    expect(existsSync(inside('refused'))).toBe(false);
  });

  it('an existing run, and resuming it as something else', async () => {
    await expect(trainRun(request('baseline'))).rejects.toThrow(/already holds a run \(finished\); resume it/);
    const other = request('baseline', { resume: true, options: { learningRate: 0.1 } });
    await expect(trainRun(other)).rejects.toThrow(/was started with learningRate 0\.01, not 0\.1/);
  });

  it('a folder that cannot be written', async () => {
    writeFileSync(inside('file'), '');
    await expect(trainRun(request('file/run'))).rejects.toThrow(/cannot be written: a part of its path is a file/);
  });
});

describe('a run folder', () => {
  it('is loaded with the weights it was saved with', () => {
    const loaded = loadRun(inside('baseline'));
    expect(loaded.card.golden.logits).toHaveLength(14);
    loaded.dispose();
  });

  it('is refused in a sentence where a folder is in the place of a file', () => {
    mkdirSync(path.join(inside('folders'), 'run.json'), { recursive: true });
    expect(() => readRun(inside('folders'))).toThrow(/run\.json is a folder, not a file/);
  });

  it('is refused with one byte of its weights changed', async () => {
    await trainRun(request('changed', { options: { maxEpochs: 1 } }));
    const file = path.join(inside('changed'), 'weights.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 7]! ^= 1;
    writeFileSync(file, bytes);
    const before = tf.memory().numTensors;
    expect(() => loadRun(inside('changed'))).toThrow(/has SHA-256 .* the weights were changed after training/);
    expect(tf.memory().numTensors).toBe(before);
    await expect(trainRun(request('refused', robustFrom('changed')))).rejects.toThrow(/the weights were changed/);
    expect(existsSync(inside('refused'))).toBe(false);
  });

  it('is refused when its network computes something else than its card says', () => {
    const files = runFiles(inside('robust'));
    const card = readCard(inside('robust'));
    const { logits, tolerance } = card.golden;
    const others = logits.map((logit) => logit + 10 * tolerance * Math.max(1, Math.abs(logit)));
    writeCard(files, { ...card, golden: { ...card.golden, logits: others } });
    expect(() => loadRun(inside('robust'))).toThrow(/the golden input gives .*: this engine computes something else/);
    writeCard(files, card);
    loadRun(inside('robust')).dispose();
  });
});
