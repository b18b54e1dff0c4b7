import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FINDINGS, openPrepared, type PreparedData, prepare, readNpy } from '@cxr-lens/data';
import { poolIous } from '@cxr-lens/eval';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { type Evaluation, evaluateRun } from './evaluate.ts';
import { evaluationFiles, readEvaluation } from './evaluation-folder.ts';
import { explainImages } from './explain-images.ts';
import { exportRun } from './export-run.ts';
import { readIous } from './ious.ts';
import { loadRun } from './load-run.ts';
import { completeFolds, poolControls } from './pool-folds.ts';
import { readCard, runFiles, writeRun } from './run-folder.ts';
import { EXPORT_FORMATS, type Run, type TrainOptions } from './spec/index.ts';
import { trainedTestImages, trainingRows } from './supervision.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';
import { trainRun } from './train.ts';

let folder: string;
let nih: string;
let prepared: string;
let data: PreparedData;
let run: Run;
let tensors: number;
const evaluations: Evaluation[] = [];

const inside = (name: string): string => path.join(folder, name);
const OPTIONS = { batchSize: 8, maxEpochs: 2, learningRate: 0.001, fold: 1 } as const;

function train(out: string, changes: { options?: Partial<TrainOptions>; from?: string; resume?: boolean; signal?: AbortSignal } = {}) {
  const { options, ...others } = changes;
  const asked = { method: 'supervised', preset: 'small', data: prepared, out: inside(out) } as const;
  return trainRun({ ...asked, ...others, options: { ...OPTIONS, ...options } });
}

/** The same weights as another fold's run: what it is scored on and what it was trained on is as if it had been trained so. */
function asFold(fold: number): string {
  const copy = inside(`fold-${fold}`);
  cpSync(inside('run'), copy, { recursive: true });
  const options = { ...run.options, fold };
  writeRun(runFiles(copy), { ...run, id: `fold-${fold}`, options, trainedTestImages: trainedTestImages({ ...run, options }, data) });
  return copy;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  ({ nih, prepared } = await tinyData(folder));
  data = await openPrepared(prepared);
  tensors = tf.memory().numTensors;
  run = await train('run');
  for (const fold of [0, 1, 2, 3, 4]) evaluations.push(await evaluateRun({ run: asFold(fold), data: prepared, resamples: 20 }));
});
afterAll(() => data.close());

describe('training', () => {
  it('takes the boxed test images of four parts beside the training images', () => {
    expect(run).toMatchObject({ network: 'preact-resnet50-patches', featureShape: [20, 20, 64], state: 'finished', parent: null });
    // 36 training images, 10 boxed patients of one image each, of whom 2 are left out.
    expect(trainingRows(run, data)).toHaveLength(44);
    expect(run.stepsPerEpoch).toBe(5);
    expect(run.epochs).toHaveLength(2);
    expect(run.epochs[1]!.trainLoss).toBeLessThan(run.epochs[0]!.trainLoss);
    expect(readCard(inside('run')).featureShape).toEqual([20, 20, 64]);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('ends with the same weights when it is stopped and resumed', async () => {
    const controller = new AbortController();
    const asked = { method: 'supervised', preset: 'small', data: prepared, out: inside('stopped'), options: OPTIONS } as const;
    const onProgress = ({ what, done }: { what: string; done: number }): void => {
      if (what.endsWith('epoch 2') && done === 2) controller.abort();
    };
    await expect(trainRun({ ...asked, signal: controller.signal, onProgress })).rejects.toThrow('Supervised, epoch 2 was stopped');
    expect((await trainRun({ ...asked, resume: true })).weightsSha256).toBe(run.weightsSha256);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('has another loss with another weight of the boxes, and other weights with another fold', async () => {
    const [light, other] = [
      await train('light', { options: { maxEpochs: 1, boxWeight: 1 } }),
      await train('other', { options: { maxEpochs: 1, fold: 2 } }),
    ];
    expect(light.epochs[0]!.trainLoss).toBeLessThan(run.epochs[0]!.trainLoss);
    expect(other.weightsSha256).not.toBe(light.weightsSha256);
  });

  it('goes on with perturbed images from a run of its own fold alone, with patches of 16 x 16 and raw products', async () => {
    const options = { maxEpochs: 1, patchGrid: 16, patchProducts: 'raw', patchInitialBias: -6 } as const;
    expect((await train('raw', { options })).featureShape).toEqual([16, 16, 64]);
    const perturbed = { ...options, perturbation: 'linf' } as const;
    const robust = await train('raw-linf', { options: perturbed, from: inside('raw') });
    expect(robust).toMatchObject({ parent: { id: 'raw' }, featureShape: [16, 16, 64] });
    expect(robust.epochs[0]!.perturbedValidationLoss).toBeGreaterThan(robust.epochs[0]!.validationLoss);
    await expect(train('refused', { options: { ...perturbed, fold: 3 }, from: inside('raw') })).rejects.toThrow(
      'raw left out fold 1 and was trained on the boxes of fold 3, which this run would be scored on: set fold=1, or start from a run of fold 3.',
    );
    expect(existsSync(inside('refused'))).toBe(false);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it.each([
    [{ perturbation: 'spatial' }, 'Option perturbation: spatial moves the images of supervised away from their boxes; name another one.'],
    [{ patchProducts: 'raw' }, /^Option patchInitialBias: at 0 the raw product .* rounds to 0: .* set a negative one, for example -6\.$/],
    [{ positiveWeight: 'none' }, "Option positiveWeight: supervised's loss has no beta; leave it out."],
    [{ pooling: 'lse' }, 'Option pooling: supervised pools nothing; leave it out.'],
    [{ warmupEpochs: 1 }, 'Option warmupEpochs: it belongs to generative, not to supervised; leave it out.'],
  ] as const)('refuses %j before anything is written', async (options, message) => {
    await expect(train('refused', { options })).rejects.toThrow(message);
    expect(existsSync(inside('refused'))).toBe(false);
  });
});

describe('an evaluation on its own data', () => {
  it('scores no patient that was trained on, and says how many that leaves out', () => {
    for (const { run: own, folder: where, auc, localization, scores, truth } of evaluations) {
      const trained = new Set(trainingRows(own, data).map((row) => data.images[row]!.patientId));
      expect(truth.patientIds.filter((patient) => trained.has(patient))).toEqual([]);
      const pairs = Object.values(localization.run.findings).flatMap(({ scored }) => scored);
      expect(pairs).toHaveLength(2);
      expect(pairs.filter(({ patientId }) => trained.has(patientId))).toEqual([]);
      expect(scores.images).toHaveLength(12);
      expect([auc.images, auc.excludedPatients, localization.excludedPatients, auc.data.images.test]).toEqual([12, 8, 8, 20]);
      expect(readFileSync(path.join(where, 'scores.csv'), 'utf8').trim().split('\n')).toHaveLength(13);
      expect(readdirSync(path.join(where, 'maps'))).toHaveLength(2);
    }
  });

  it("is by the patches' protocol, with its controls, and leaves the card without thresholds", () => {
    const { run: own, folder: where, localization, auc } = evaluations[1]!;
    const { random, centre, bestReachable } = localization.controls;
    for (const { protocol } of [localization.run, random, centre, bestReachable]) expect(protocol.name).toBe('patches');
    expect(localization.others).toEqual([]);
    expect(bestReachable.findings.Mass.meanIou).toBeGreaterThan(random.findings.Mass.meanIou!);
    expect(readCard(inside('fold-1')).camThresholds).toBeNull();
    const files = evaluationFiles(inside('fold-1'), data);
    expect(files.folder).toBe(where);
    expect(readEvaluation(files)).toEqual({ auc, localization });
    expect(own.options.fold).toBe(1);
  });

  it('leaves the same patients out where the same images are prepared anew, split otherwise', async () => {
    const again = inside('again.cxr');
    await prepare({ folder: nih, out: again, size: 96, seed: 7 });
    const other = await openPrepared(again);
    expect(other.datasetHash).not.toBe(data.datasetHash);
    other.close();
    const { auc, localization } = await evaluateRun({ run: inside('fold-2'), data: again, resamples: 20 });
    expect([auc.images, auc.excludedPatients, localization.run.findings.Mass.pairs]).toEqual([12, 8, 2]);
  });
});

describe('five folds', () => {
  it('have one curve of each control, in which every boxed pair is scored once', () => {
    expect(completeFolds(evaluations)).toEqual([evaluations]);
    const { random, centre, bestReachable } = poolControls(evaluations);
    for (const { findings } of [random, centre, bestReachable]) {
      const curve = findings.Mass;
      expect(curve.pairs).toBe(10);
      expect(new Set(curve.scored.map(({ image }) => image)).size).toBe(10);
    }
    const each = evaluations.flatMap(({ localization }) => localization.controls.random.findings.Mass.scored);
    const ious = each.map(({ ious: [iou] }) => iou!);
    expect(random.findings.Mass.meanIou).toBeCloseTo(ious.reduce((a, b) => a + b) / 10, 12);
    expect(random.findings.Mass.points[0]!.accuracy).toBeCloseTo(ious.filter((iou) => iou > 0.1).length / 10, 12);
  });

  it('keep one IoU a pair and the patients of all boxed images, and are one table together', () => {
    const tables = evaluations.map(({ folder: where }) => readIous(where)!.run);
    for (const [index, { protocol, patients, pairs }] of tables.entries()) {
      expect([protocol.name, patients.length, pairs.length]).toEqual(['patches', 10, 2]);
      const { scored } = evaluations[index]!.localization.run.findings.Mass;
      expect(pairs.map(({ image, ious }) => [image, ...ious])).toEqual(scored.map(({ image, ious }) => [image, ...ious]));
    }
    expect(
      poolIous(tables)
        .pairs.map(({ patientId }) => patientId)
        .sort(),
    ).toEqual([...tables[0]!.patients].sort());
  });

  it('are not four, not two of one fold, and not of two seeds', () => {
    const seeded = { ...evaluations[4]!, run: { ...evaluations[4]!.run, options: { ...run.options, fold: 4, seed: 1 } } };
    for (const wrong of [
      evaluations.slice(0, 4),
      [...evaluations.slice(0, 4), evaluations[0]!],
      [...evaluations.slice(0, 4), seeded],
      [],
    ]) {
      expect(completeFolds(wrong)).toEqual([]);
    }
    expect(completeFolds([seeded, ...evaluations])).toEqual([evaluations]);
  });
});

describe('an explanation', () => {
  it('is the scores that were evaluated, their region above 0.5 and its box', async () => {
    const [image] = readdirSync(path.join(evaluations[1]!.folder, 'maps')).map((name) => name.replace('.Mass.npy', '.png'));
    const loaded = loadRun(inside('fold-1'));
    const before = tf.memory().numTensors;
    const bytes = readFileSync(path.join(nih, 'images', image!));
    const [explained] = await explainImages(loaded, { images: [{ bytes, where: image! }] });
    expect(tf.memory().numTensors).toBe(before);
    loaded.dispose();
    expect(Object.keys(explained!.findings)).toEqual([...FINDINGS]);
    const mass = explained!.findings['Mass']!;
    expect(mass.strip).toBeUndefined();
    const stored = await readNpy(path.join(evaluations[1]!.folder, 'maps', image!.replace('.png', '.Mass.npy')));
    expect(stored.shape).toEqual([20, 20]);
    // float16 keeps eleven bits
    for (const [cell, score] of mass.cam.values.entries()) expect(Math.abs(stored.data[cell]! - score)).toBeLessThan(1e-3);
    const absent = mass.cam.values.reduce((log, score) => log + Math.log1p(-0.02 * score), 0);
    expect(mass.logit).toBeCloseTo(Math.log(Math.expm1(-absent)), 3);
    for (const { cam, box, camThreshold } of Object.values(explained!.findings)) {
      const inRegion = cam.values.some((score) => score > 0.5);
      expect(box !== null).toBe(inRegion);
      if (!inRegion) expect(camThreshold).toBeGreaterThan(255);
    }
  });
});

it.each(EXPORT_FORMATS)('is exported as %s', (format) => {
  expect(exportRun(inside('run'), { format, out: inside(`run.${format}`) }).id).toBe('run');
  expect(existsSync(inside(`run.${format}`))).toBe(true);
  expect(tf.memory().numTensors).toBe(tensors);
});
