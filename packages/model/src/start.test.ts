import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError, openPrepared } from '@cxr-lens/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { importWeights } from './interop/import-run.ts';
import { imageNetWeights, torchvisionWeights, writeWeights } from './interop/import-testing.ts';
import { IMAGENET } from './interop/import-weights.ts';
import { readImportedWeights } from './interop/imported-folder.ts';
import { buildNetwork, loadRun } from './load-run.ts';
import { planRun, type TrainRequest } from './plan.ts';
import { runFiles, sha256, writeRun } from './run-folder.ts';
import type { HostTensor } from './safetensors.ts';
import { type Card, type MethodName, type TorchvisionNetwork, trainCommand } from './spec/index.ts';
import { normalisationOf, startNetwork } from './start.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';
import { type TrainHooks, trainRun } from './train.ts';
import { readNetwork } from './weights.ts';

const NORMALISATION: Card['normalisation'] = { mean: [...IMAGENET.mean], std: [...IMAGENET.std], source: 'ImageNet' };
let folder: string;
let data: string;
let small: string;
const inside = (...names: string[]): string => path.join(folder, ...names);
const request = (method: MethodName, out: string, changes: Partial<TrainRequest & TrainHooks> = {}): TrainRequest & TrainHooks => {
  return { method, preset: 'paper', data, out: inside(out), ...changes };
};

function imported(out: string, network: TorchvisionNetwork, tensors: ReadonlyMap<string, HostTensor>): void {
  importWeights({ file: writeWeights(inside(`${out}.safetensors`), tensors), network, out: inside(out) });
}

beforeAll(async () => {
  folder = await temporaryFolder();
  data = (await tinyData(folder, { size: 224 })).prepared;
  small = (await tinyData(inside('small'))).prepared;
  imported('chexnet', 'densenet121', torchvisionWeights('densenet121'));
  imported('imagenet', 'densenet121', imageNetWeights('densenet121'));
  imported('resnet', 'resnet50', imageNetWeights('resnet50'));
});

const hashes = (tensors: ReadonlyMap<string, HostTensor>): Map<string, string> =>
  new Map([...tensors].map(([name, { data: values }]) => [name, sha256(new Uint8Array(values.buffer))]));

describe('imported weights', () => {
  it.each([
    ['baseline', 'chexnet', 'truncated-densenet121', ['norm', 'head'], 'none'],
    ['chexnet', 'chexnet', 'densenet121', [], 'findings'],
    ['chexnet', 'imagenet', 'densenet121', ['head'], 'none'],
    ['nih-star', 'resnet', 'resnet50', ['head'], 'none'],
    ['nih', 'resnet', 'resnet50-transition', ['transition', 'head'], 'none'],
    ['supervised', 'resnet', 'resnet50-patches', ['patch', 'head'], 'none'],
  ] as const)('%s from %s is %s; fresh are %j', async (method, from, network, fresh, head) => {
    const prepared = await openPrepared(data);
    const before = tf.memory().numTensors;
    const run = planRun(request(method, 'planned', { from: inside(from) }), prepared);
    expect(run).toMatchObject({ network, initialisation: 'imported', parent: null, normalisation: NORMALISATION });
    expect(run.imported).toMatchObject({ id: from, head });
    expect(trainCommand(run)).toContain(` --from ${from} `);
    const built = buildNetwork(run, normalisationOf(run, prepared));
    prepared.close();
    const initial = hashes(readNetwork(built));
    startNetwork(built, run, inside(from));
    const started = hashes(readNetwork(built));
    expect([built.name, built.featureShape]).toEqual([network, run.featureShape]);
    built.dispose();
    expect(tf.memory().numTensors).toBe(before);

    const theirs = hashes(readImportedWeights(inside(from)).tensors);
    for (const [name, hash] of started) {
      const isFresh = fresh.some((layer) => name.startsWith(`network.${layer}.`));
      expect(hash, name).toBe((isFresh ? initial : theirs).get(name));
    }
    for (const layer of fresh)
      expect(
        [...started.keys()].some((name) => name.startsWith(`network.${layer}.`)),
        layer,
      ).toBe(true);
    expect(existsSync(inside('planned'))).toBe(false);
  });

  it('with a head are a run that its perturbed run starts from', async () => {
    const prepared = await openPrepared(data);
    const options = { perturbation: 'linf' } as const;
    const run = planRun(request('chexnet', 'planned', { from: inside('chexnet'), options }), prepared);
    prepared.close();
    expect(run).toMatchObject({ initialisation: 'run', parent: { id: 'chexnet', method: 'chexnet' }, normalisation: NORMALISATION });
  });
});

describe("a run's normalisation", () => {
  const quick = { preset: 'small', options: { batchSize: 8, maxEpochs: 1 } } as const;
  // Loading computes the golden logits again, by the card's normalisation.
  const cardOf = (name: string): Card => {
    const { card, dispose } = loadRun(inside(name));
    dispose();
    return card;
  };

  it('by channel is kept when it is taken up again, and by the run that starts from it', async () => {
    const prepared = await openPrepared(small);
    const planned = planRun(request('baseline', 'b', { ...quick, data: small }), prepared);
    expect(planned.normalisation).toEqual({ ...prepared.statistics, source: 'training images' });
    prepared.close();
    writeRun(runFiles(inside('b')), { ...planned, normalisation: NORMALISATION });
    await trainRun(request('baseline', 'b', { ...quick, data: small, resume: true }));
    expect(cardOf('b').normalisation).toEqual(NORMALISATION);

    const controller = new AbortController();
    const child = request('robust', 'r', { ...quick, data: small, from: inside('b'), signal: controller.signal });
    await expect(trainRun({ ...child, onProgress: () => controller.abort() })).rejects.toThrow(/epoch 1 was stopped/);
    const robust = await trainRun(request('robust', 'r', { ...quick, data: small, resume: true }));
    expect(robust).toMatchObject({ initialisation: 'run', parent: { id: 'b' }, imported: null, normalisation: NORMALISATION });
    expect(cardOf('r').normalisation).toEqual(NORMALISATION);
  });

  it('of a run that did not record it is that of its training images', async () => {
    const prepared = await openPrepared(small);
    const { normalisation, ...old } = planRun(request('baseline', 'old', { ...quick, data: small }), prepared);
    prepared.close();
    mkdirSync(inside('old'));
    writeFileSync(inside('old', 'run.json'), JSON.stringify(old));
    await trainRun(request('baseline', 'old', { ...quick, data: small, resume: true }));
    expect(cardOf('old').normalisation).toEqual(normalisation);
  });
});

describe('what is refused before anything is written', () => {
  it.each<[string, () => Partial<TrainRequest>, string, string]>([
    [
      'another preset',
      () => ({ from: inside('imagenet'), preset: 'small', data: small }),
      'BAD_INPUT',
      "HOME/imagenet holds weights of the paper's size; the preset small has other layers: train with --preset paper.",
    ],
    [
      'a method of another network',
      () => ({ from: inside('resnet') }),
      'BAD_INPUT',
      'HOME/resnet holds the weights of resnet50, on which nih, nih-star, supervised can start; baseline cannot.',
    ],
    [
      'a method that takes no imported weights',
      () => ({ method: 'generative', from: inside('imagenet') }),
      'BAD_INPUT',
      'HOME/imagenet holds the weights of densenet121, on which baseline, chexnet can start; generative cannot.',
    ],
    [
      'a folder of something else',
      () => ({ from: inside('small') }),
      'NOT_FOUND',
      'HOME/small holds no imported weights: it has no imported.json; make it with cxr-lens import.',
    ],
    [
      'Robust, which starts from a Baseline',
      () => ({ method: 'robust', from: inside('imagenet') }),
      'BAD_INPUT',
      'HOME/imagenet holds imported weights without a head of the findings; robust starts from a converged baseline run: train that first.',
    ],
    [
      'Robust from an imported CheXNet',
      () => ({ method: 'robust', from: inside('chexnet') }),
      'BAD_INPUT',
      'HOME/chexnet is a chexnet run; robust starts from a baseline run.',
    ],
    [
      'weights that were changed',
      () => {
        imported('changed', 'densenet121', imageNetWeights('densenet121'));
        const bytes = readFileSync(inside('changed', 'weights.safetensors'));
        bytes[bytes.length - 7]! ^= 1;
        writeFileSync(inside('changed', 'weights.safetensors'), bytes);
        return { from: inside('changed') };
      },
      'CORRUPT',
      'HOME/changed/weights.safetensors has SHA-256 FOUND, its imported.json says GIVEN; import the weights again.',
    ],
  ])('%s', async (_, changes, code, message) => {
    const refused = await trainRun(request('baseline', 'refused', changes())).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CxrError);
    const said = (refused as CxrError).message.replaceAll(folder, 'HOME');
    expect(said.replace(/SHA-256 [0-9a-f]{64}/, 'SHA-256 FOUND').replace(/says [0-9a-f]{64}/, 'says GIVEN')).toBe(message);
    expect((refused as CxrError).code).toBe(code);
    expect(existsSync(inside('refused'))).toBe(false);
  });

  it('a run in the place of imported weights', async () => {
    const held = readFileSync(inside('imagenet', 'weights.safetensors'));
    const message = `${inside('imagenet')} holds imported weights; choose another folder for the run.`;
    const asked = request('baseline', 'imagenet', { from: inside('imagenet') });
    await expect(trainRun(asked)).rejects.toThrow(expect.objectContaining({ code: 'CONFLICT', message }));
    expect(readFileSync(inside('imagenet', 'weights.safetensors')).equals(held)).toBe(true);
  });

  it('a trained run', async () => {
    const from = inside('trained');
    const options = { batchSize: 8, maxEpochs: 1 };
    await trainRun(request('baseline', 'trained', { preset: 'small', data: small, options }));
    const message = `chexnet starts from fresh weights or imported ones (cxr-lens import), and ${from} is a trained run; leave out --from.`;
    await expect(trainRun(request('chexnet', 'refused', { from }))).rejects.toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', message }),
    );
    expect(existsSync(inside('refused'))).toBe(false);
  });
});
