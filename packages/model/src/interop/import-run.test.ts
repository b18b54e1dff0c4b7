import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FINDINGS } from '@cxr-lens/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { exportRun } from '../export-run.ts';
import { loadRun } from '../load-run.ts';
import { error, image, TOLERANCE } from '../networks/testing.ts';
import { readRun, sha256 } from '../run-folder.ts';
import { type TorchvisionNetwork, trainCommand } from '../spec/index.ts';
import { temporaryFolder } from '../tests/tiny-data.ts';
import { importWeights } from './import-run.ts';
import { emptyWeights, imageNetWeights, reference, stateDictFile, writeWeights, zeros } from './import-testing.ts';
import { IMAGENET } from './import-weights.ts';

const NORMALISATION = { mean: [...IMAGENET.mean], std: [...IMAGENET.std], source: 'ImageNet' };

/** The names of a compiled network in DataParallel, and of a Lightning module whose head is a Sequential of dropout and a linear layer. */
const FORMS: Record<TorchvisionNetwork, (name: string) => string> = {
  densenet121: (name) => `module._orig_mod.${name}`,
  resnet50: (name) => `model.backbone.${name.replace(/^fc\./, 'fc.1.')}`,
};

let folder: string;
const inside = (...names: string[]): string => path.join(folder, ...names);

beforeAll(async () => {
  folder = await temporaryFolder();
});

describe.each([
  ['densenet121', 'chexnet'],
  ['resnet50', 'nih-star'],
] as const)('%s with a head of the 14 findings', (network, method) => {
  let source: string;
  const out = (): string => inside(method);
  beforeAll(() => {
    source = inside(`${network}.safetensors`);
    writeFileSync(source, stateDictFile(network, FORMS[network]));
  });

  it(`is a finished run of ${method} that answers as torchvision's network`, () => {
    const before = tf.memory().numTensors;
    const { imported, run } = importWeights({ file: source, network, out: out(), name: 'From elsewhere' });
    expect(tf.memory().numTensors).toBe(before);
    expect(readdirSync(out()).sort()).toEqual(['card.json', 'imported.json', 'run.json', 'weights.safetensors']);
    expect(imported).toMatchObject({ id: method, network, head: 'findings', sourceSha256: sha256(readFileSync(source)) });
    expect(readRun(out())).toEqual(run);
    expect(run).toMatchObject({ method, network, name: 'From elsewhere', preset: 'paper', state: 'finished', data: null, parent: null });
    expect(run).toMatchObject({ initialisation: 'imported', normalisation: NORMALISATION, epochs: [], bestEpoch: null });
    expect(trainCommand(run!)).toBe(`cxr-lens import FILE --network ${network} --out ${method}`);

    const loaded = loadRun(out());
    const logits = tf.tidy(() => loaded.network.forward(image(1, 224), 'inference').logits.dataSync());
    expect(error(logits, reference[network].logits)).toBeLessThan(TOLERANCE);
    expect(loaded.card).toMatchObject({ normalisation: NORMALISATION, imported: { id: method, head: 'findings' }, camThresholds: null });
    const nothing = { platt: null, operatingPoint: null, reason: 'imported: no validation images were seen', positives: 0, negatives: 0 };
    for (const finding of FINDINGS) expect(loaded.card.calibration[finding]).toEqual(nothing);
    loaded.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

it('an imported run becomes a SavedModel that normalises by channel itself', async () => {
  const { network, dispose } = loadRun(inside('chexnet'));
  const expected = tf.tidy(() => [...network.forward(image(2, 224), 'inference').logits.dataSync()]);
  dispose();
  exportRun(inside('chexnet'), { format: 'savedmodel', out: inside('savedmodel') });
  const about = JSON.parse(readFileSync(inside('savedmodel', 'assets.extra', 'cxr-lens.json'), 'utf8'));
  expect(about).toMatchObject({ run: 'chexnet', network: 'densenet121', normalisation: JSON.stringify(IMAGENET) });
  const model = await tf.node.loadSavedModel(inside('savedmodel'));
  const logits = tf.tidy(() => (model.predict({ image: image(2, 224) }) as Record<string, tf.Tensor>)['logits']!.dataSync());
  model.dispose();
  expect(error(logits, expected)).toBeLessThan(1e-5);
});

it("ImageNet's weights are a start, no run", () => {
  const file = writeWeights(inside('imagenet.safetensors'), imageNetWeights('densenet121'));
  const { imported, run } = importWeights({ file, network: 'densenet121', out: inside('imagenet') });
  expect([imported.head, run]).toEqual(['none', null]);
  expect(readdirSync(inside('imagenet')).sort()).toEqual(['imported.json', 'weights.safetensors']);
});

describe('refuses, with nothing written,', () => {
  const changed = (change: (given: ReturnType<typeof emptyWeights>) => unknown): string => {
    const given = emptyWeights('densenet121');
    change(given);
    return writeWeights(inside('changed.safetensors'), given);
  };
  const written = (name: string, bytes: string | Uint8Array): string => {
    writeFileSync(inside(name), bytes);
    return inside(name);
  };
  const remedy = "import the state_dict of torchvision's densenet121, which takes three channels.";

  it.each<[string, () => string, string, string]>([
    ['no file', () => inside('none'), 'NOT_FOUND', 'FILE does not exist; name a safetensors file.'],
    ['a folder', () => folder, 'BAD_INPUT', 'FILE is a folder; name a safetensors file.'],
    [
      "PyTorch's own file",
      () => written('w.pth', 'PK\u0003\u0004 archive/data.pkl'),
      'BAD_INPUT',
      "FILE is in PyTorch's own format; make a safetensors file of it first: python3 scripts/to-safetensors.py FILE weights.safetensors",
    ],
    [
      "PyTorch's own file of before 1.6",
      () => written('w.pth.tar', Buffer.from('80028a0a6cfc9c46f9206aa85019', 'hex')),
      'BAD_INPUT',
      "FILE is in PyTorch's own format; make a safetensors file of it first: python3 scripts/to-safetensors.py FILE weights.safetensors",
    ],
    [
      'another file',
      () => written('w.csv', 'Image Index,Finding Labels\n'),
      'CORRUPT',
      'FILE claims a header of 7946918637370174000 bytes and has 27: cut off, or no safetensors file.',
    ],
    [
      'another shape',
      () => changed((given) => given.set('features.conv0.weight', zeros(64, 1, 7, 7))),
      'BAD_INPUT',
      `The weights' tensor features.conv0.weight is 64 x 1 x 7 x 7, expected 64 x 3 x 7 x 7; ${remedy}`,
    ],
    [
      'another network',
      () => writeWeights(inside('changed.safetensors'), emptyWeights('resnet50')),
      'BAD_INPUT',
      "The weights have no tensor features.conv0.weight (expected 64 x 3 x 7 x 7), nor 603 others. Found: bn1.bias, bn1.running_mean, bn1.running_var. Wanted: features.conv0.weight, features.norm0.weight, features.norm0.bias. These are resnet50's layers: --network resnet50.",
    ],
    [
      'a value that is no number',
      () => changed((given) => given.get('features.norm0.bias')!.data.set([Number.NaN], 3)),
      'BAD_INPUT',
      "The weights' tensor features.norm0.bias holds NaN at place 3, expected finite numbers: such a network gives no answer. Import another checkpoint of it.",
    ],
    [
      'a file of many gigabytes',
      () => {
        truncateSync(written('huge.safetensors', ''), 5e9);
        return inside('huge.safetensors');
      },
      'BAD_INPUT',
      'FILE has 5000000000 bytes; the networks that are imported have at most 100 MB.',
    ],
    [
      'finite weights whose answer is none',
      () =>
        changed((given) => {
          given.get('features.norm5.bias')!.data.fill(1);
          given.get('classifier.weight')!.data.fill(3e38);
        }),
      'BAD_INPUT',
      "FILE: the network's logit of Atelectasis is Infinity on an image of noise, expected a number; import another checkpoint of it.",
    ],
  ])('%s', (_, make, code, message) => {
    const file = make();
    const importing = () => importWeights({ file, network: 'densenet121', out: inside('refused') });
    expect(importing).toThrow(expect.objectContaining({ code, message: message.replaceAll('FILE', file) }));
    expect(existsSync(inside('refused'))).toBe(false);
  });

  it('a folder that holds something', () => {
    mkdirSync(inside('full'));
    writeFileSync(inside('full', 'notes'), '');
    const importing = () => importWeights({ file: inside('densenet121.safetensors'), network: 'densenet121', out: inside('full') });
    const message = `${inside('full')} is there already and is no empty folder; choose another one.`;
    expect(importing).toThrow(expect.objectContaining({ code: 'CONFLICT', message }));
    expect(readdirSync(inside('full'))).toEqual(['notes']);
  });
});
