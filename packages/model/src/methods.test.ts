import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { type Evaluation, evaluateRun } from './evaluate.ts';
import { evaluationFiles, readEvaluation } from './evaluation-folder.ts';
import { exportRun } from './export-run.ts';
import { objectiveOf, stepInputs, stepLoss } from './methods.ts';
import { networkOf } from './networks/build.ts';
import { writeReport } from './report.ts';
import { readCard } from './run-folder.ts';
import { defaultOptions, EXPORT_FORMATS, featureShapeOf, METHOD_NAMES, METHODS, PRESET_NAMES, parseTrainOptions } from './spec/index.ts';
import { noiseBatch } from './testing.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';
import { trainRun } from './train.ts';

describe('every network', () => {
  it.each(METHOD_NAMES.flatMap((method) => PRESET_NAMES.map((preset) => [method, preset] as const)))(
    '%s, %s: has the feature map that the spec says, and the name of its method',
    (method, preset) => {
      const name = METHODS[method].network;
      const network = networkOf(name, { preset, mean: 0.5, std: 0.25, seed: null });
      expect([network.name, ...network.featureShape]).toEqual([name, ...featureShapeOf(name, preset)]);
      network.dispose();
    },
  );
});

describe('perturbations', () => {
  it.each(['linf', 'l2', 'spatial', 'noise'] as const)(
    '%s: changes the chosen images alone, the same way for the same seed',
    (perturbation) => {
      const network = networkOf('truncated-densenet121', { preset: 'small', mean: 0.5, std: 0.29, seed: 0 });
      const options = parseTrainOptions('robust', { perturbation });
      const objective = objectiveOf('robust', options);
      tf.tidy(() => {
        const batch = noiseBatch(network, { size: 4, seed: 1, options });
        const [first, second] = [0, 1].map(() => stepInputs(network, batch, { objective, options }));
        expect([...first!.dataSync()]).toEqual([...second!.dataSync()]);
        const changed = [...tf.max(tf.abs(tf.sub(first!, batch.x)), [1, 2, 3]).dataSync()];
        expect(changed.map((most) => (most > 0 ? 1 : 0))).toEqual([...batch.perturbation!.chosen.dataSync()]);
        expect(tf.min(first!).dataSync()[0]).toBeGreaterThanOrEqual(0);
        expect(tf.max(first!).dataSync()[0]).toBeLessThanOrEqual(1);
      });
      network.dispose();
    },
  );
});

describe('the input-gradient penalty', () => {
  it('adds its share to the loss and to the gradient of the weights, and leaves the moving averages one step on', () => {
    const network = networkOf('truncated-densenet121', { preset: 'small', mean: 0.5, std: 0.29, seed: 0 });
    const objective = objectiveOf('robust', defaultOptions('robust'));
    const batch = tf.tidy(() => {
      const { x, y, beta } = noiseBatch(network, { size: 4, seed: 1 });
      return { x: x.clone(), y: y.clone(), beta: (beta as tf.Scalar).clone() };
    });
    const start = [...network.statistics.values()].map((variable) => variable.clone());
    const at = (gradientPenalty: number) => {
      const options = parseTrainOptions('robust', { perturbation: 'none', gradientPenalty: Math.max(gradientPenalty, 1e-9) });
      return tf.tidy(() => {
        const { value, grads } = tf.variableGrads(stepLoss(network, batch, { objective, options: { ...options, gradientPenalty } }));
        const kernel = grads[network.parameters.get('network.stem.convolution.kernel')!.name]!;
        const averages = [...network.statistics.values()].map((variable, slot) => {
          const values = [...variable.dataSync()];
          variable.assign(start[slot]!);
          return values;
        });
        return { loss: value.dataSync()[0]!, kernel: [...kernel.dataSync()], averages };
      });
    };
    const [none, one, two] = [0, 1, 2].map(at);
    expect(one!.loss).toBeGreaterThan(none!.loss);
    expect((two!.loss - none!.loss) / (one!.loss - none!.loss)).toBeCloseTo(2, 2);
    expect(one!.kernel).not.toEqual(none!.kernel);
    expect(one!.averages).toEqual(none!.averages);
    tf.dispose([start, batch]);
    network.dispose();
  });
});

describe('every method', () => {
  let folder: string;
  let data: string;
  const inside = (name: string): string => path.join(folder, name);
  // At 0.01 ResNet-50 answers the four validation images with saturated sigmoids after one epoch.
  const options = { batchSize: 8, maxEpochs: 1, learningRate: 0.001 };
  beforeAll(async () => {
    folder = await temporaryFolder();
    data = (await tinyData(folder)).prepared;
  });

  it.each(['chexnet', 'nih', 'nih-star'] as const)('%s trains, goes on with perturbed images, and is evaluated', async (method) => {
    const before = tf.memory().numTensors;
    const clean = await trainRun({ method, preset: 'small', data, out: inside(method), options });
    expect(clean).toMatchObject({ network: METHODS[method].network, state: 'finished', parent: null });
    expect(readCard(inside(method)).pooling).toBe(method === 'nih' ? 'lse' : 'average');

    const perturbed = { ...options, perturbation: 'linf' } as const;
    const asked = { method, preset: 'small', data, out: inside(`${method}-linf`), options: perturbed } as const;
    await expect(trainRun(asked)).rejects.toThrow(`starts from a converged ${method} run: name its folder with --from`);
    const robust = await trainRun({ ...asked, from: inside(method) });
    expect(robust.parent?.id).toBe(method);
    expect(robust.epochs[0]!.probe!.strong).toBeGreaterThanOrEqual(robust.epochs[0]!.probe!.own);
    expect(clean.epochs[0]!.probe).toBeNull();
    expect(robust.epochs[0]!.perturbedValidationLoss).toBeGreaterThan(robust.epochs[0]!.validationLoss);

    for (const format of EXPORT_FORMATS) {
      expect(exportRun(inside(method), { format, out: inside(`${method}.${format}`) }).id).toBe(method);
      expect(existsSync(inside(`${method}.${format}`))).toBe(true);
    }

    const evaluations = [];
    for (const run of [method, `${method}-linf`]) evaluations.push(await evaluateRun({ run: inside(run), data, resamples: 20 }));
    const [{ folder: evaluation, localization }] = evaluations as [Evaluation];
    expect(localization.run.findings.Mass.pairs).toBe(10);
    expect(localization.run.protocol.name).toBe('paper');
    const own = localization.others.map(({ run, controls }) => [run, ...Object.values(controls)].map(({ protocol }) => protocol.name));
    expect(own).toEqual(method === 'nih' ? [['nih', 'nih', 'nih', 'nih']] : []);
    const written = readEvaluation(evaluationFiles(inside(method), { path: data, datasetHash: localization.data.datasetHash }));
    expect(written.localization).toEqual(localization);
    if (method === 'nih') {
      const { pairs, iobb, falsePositives } = written.localization.others[0]!.run.findings.Mass;
      expect([pairs, iobb!.points.length, iobb!.falsePositives!.length, falsePositives!.length]).toEqual([10, 7, 7, 7]);
    }
    expect(await writeReport(evaluations, { data })).toContain(`${METHODS[method].label}, perturbation linf`);
    expect(readdirSync(evaluation)).toEqual(expect.arrayContaining(['auc.csv', 'auc.svg', 'localization.csv', 'localization.svg']));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses weights of another method before anything is written', async () => {
    const asked = { method: 'robust', preset: 'small', data, out: inside('refused'), from: inside('chexnet'), options } as const;
    await expect(trainRun(asked)).rejects.toThrow(CxrError);
    await expect(trainRun(asked)).rejects.toThrow(/is a chexnet run; robust starts from a baseline run/);
  });
});
