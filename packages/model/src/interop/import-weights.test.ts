import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { networkOf } from '../networks/build.ts';
import type { Network } from '../networks/network.ts';
import { error, image, TOLERANCE } from '../networks/testing.ts';
import { sha256 } from '../run-folder.ts';
import { decodeSafetensors, type HostTensor } from '../safetensors.ts';
import { TORCHVISION_NETWORKS } from '../spec/imported.ts';
import { temporaryFolder } from '../tests/tiny-data.ts';
import { setNetwork } from '../weights.ts';
import { exportSafetensors } from './export.ts';
import { emptyWeights, reference, torchvisionWeights, weightShapes, zeros } from './import-testing.ts';
import { IMAGENET, importTensors } from './import-weights.ts';
import { shapeChannelsFirst } from './layout.ts';
import { ORIGIN } from './testing.ts';
import { sharedTensors } from './torchvision.ts';

let open: Network | null = null;
afterEach(() => {
  open?.dispose();
  open = null;
  tf.disposeVariables();
});

/** Shape and SHA-256 of each tensor: vitest takes minutes to compare 25 million numbers. */
function hashes(tensors: Map<string, HostTensor>): Record<string, [number[], string]> {
  const hashed = [...tensors].map(([name, { shape, data }]) => [name, [shape, sha256(new Uint8Array(data.buffer))]]);
  return Object.fromEntries(hashed) as Record<string, [number[], string]>;
}

describe.each(TORCHVISION_NETWORKS)('%s', (name) => {
  it("has torchvision's names and shapes, each once", () => {
    const ours = sharedTensors(name, 'paper').map(({ theirs, shape }) => [theirs, shapeChannelsFirst(shape)] as const);
    expect(ours.length).toBe(new Map(ours).size);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(weightShapes(name)));
  });

  it('has the names and shapes of our own network', () => {
    open = networkOf(name, { preset: 'small', mean: 0, std: 1, seed: null });
    const variables = [...open.parameters, ...open.statistics].map(([key, { shape }]) => [key, shape] as const);
    const shared = sharedTensors(name, 'small').map(({ ours, shape }) => [ours, shape] as const);
    expect(Object.fromEntries(shared)).toEqual(Object.fromEntries(variables));
  });

  it("answers as torchvision's, normalised by channel; exported, the weights are torchvision's again", async () => {
    const given = torchvisionWeights(name);
    const { tensors, head } = importTensors(name, given);
    expect(head).toBe('findings');
    open = networkOf(name, { preset: 'paper', ...IMAGENET, seed: null });
    setNetwork(open, tensors, 'imported');
    const logits = tf.tidy(() => open!.forward(image(1, 224), 'inference').logits.dataSync());
    expect(error(logits, reference[name].logits)).toBeLessThan(TOLERANCE);

    const file = path.join(await temporaryFolder(), 'exported.safetensors');
    exportSafetensors(open, file, { ...ORIGIN, preset: 'paper', normalisation: IMAGENET });
    const exported = decodeSafetensors(readFileSync(file), file);
    expect(hashes(exported.tensors)).toEqual(hashes(given));
    expect(exported.metadata).toMatchObject({ network: name, normalisation: JSON.stringify(IMAGENET) });
  });
});

describe('other ways to write the same weights', () => {
  it('reads the names of old checkpoints, prefixes, and a head in a sequence', () => {
    const given = torchvisionWeights('densenet121');
    const old = new Map([...given].map(([name, tensor]) => [oldName(name), tensor]));
    expect([...old.keys()]).toContain('module.densenet121.features.denseblock1.denselayer2.norm.1.running_mean');
    expect([...old.keys()]).toContain('module.densenet121.classifier.0.weight');
    expect(hashes(importTensors('densenet121', old).tensors)).toEqual(hashes(importTensors('densenet121', given).tensors));
  });

  it("leaves ImageNet's head of 1000 out", () => {
    const given = emptyWeights('densenet121');
    given.set('classifier.weight', zeros(1000, 1024));
    given.set('classifier.bias', zeros(1000));
    const { tensors, head } = importTensors('densenet121', given);
    expect(head).toBe('none');
    expect(tensors.size).toBe(given.size - 2);
    expect([...tensors.keys()].filter((name) => name.startsWith('network.head'))).toEqual([]);
  });
});

describe('refuses', () => {
  type Spoil = (given: Map<string, HostTensor>) => unknown;
  const norm = 'features.denseblock1.denselayer2.norm1';
  const set =
    (name: string, place: number, value: number): Spoil =>
    (given) =>
      given.get(name)!.data.set([value], place);

  it.each<[string, Spoil, string]>([
    [
      'a missing tensor',
      (given) => given.delete('features.denseblock3.denselayer24.conv2.weight'),
      'The weights have no tensor features.denseblock3.denselayer24.conv2.weight (expected 32 x 128 x 3 x 3). Found: features.conv0.weight, features.norm0.weight, features.norm0.bias. Wanted: features.denseblock3.denselayer24.conv2.weight. Import the state_dict of torchvision',
    ],
    [
      'a network of one channel',
      (given) => given.set('features.conv0.weight', zeros(64, 1, 7, 7)),
      'features.conv0.weight is 64 x 1 x 7 x 7, expected 64 x 3 x 7 x 7; import the state_dict of torchvision',
    ],
    [
      'unknown tensors',
      (given) => given.set('gate.weight', zeros(14, 2)).set('gate.bias', zeros(14)),
      "The weights' tensor gate.weight is none of this network's. Found: gate.weight, gate.bias. Wanted: features.conv0.weight, features.norm0.weight, features.norm0.bias. Import",
    ],
    ['half a head', (given) => given.delete('classifier.bias'), 'no tensor classifier.bias (expected 14)'],
    [
      'a tensor under two names',
      (given) => given.set('module.features.norm0.bias', zeros(64)),
      'The weights have tensor features.norm0.bias twice, as features.norm0.bias and as module.features.norm0.bias; expected it once.',
    ],
    [
      'a head of two layers',
      (given) => given.set('classifier.3.weight', zeros(14, 14)),
      'The weights have tensor classifier.weight twice, as classifier.weight and as classifier.3.weight; expected a head of one linear layer.',
    ],
    [
      'a running variance below zero',
      set(`${norm}.running_var`, 7, -0.5),
      `The weights' tensor ${norm}.running_var holds -0.5 at place 7, expected a variance of 0 or more: such a network gives no answer. Import another checkpoint of it.`,
    ],
    [
      'a variance that is no number',
      set(`${norm}.running_var`, 0, Number.NaN),
      `${norm}.running_var holds NaN at place 0, expected finite numbers`,
    ],
    [
      'a mean that is no number',
      set(`${norm}.running_mean`, 63, Number.NaN),
      `${norm}.running_mean holds NaN at place 63, expected finite`,
    ],
    [
      'infinity in a kernel',
      set('features.conv0.weight', 9407, -Infinity),
      'features.conv0.weight holds -Infinity at place 9407, expected',
    ],
    ['infinity in the head', set('classifier.bias', 13, Infinity), 'classifier.bias holds Infinity at place 13, expected finite numbers'],
  ])('%s', (_, spoil, message) => {
    const given = emptyWeights('densenet121');
    spoil(given);
    const importing = () => importTensors('densenet121', given);
    expect(importing).toThrow(expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(message) }));
  });

  it('a spoiled tensor by its name in the file', () => {
    const given = new Map([...emptyWeights('densenet121')].map(([name, tensor]) => [`module.${name}`, tensor]));
    set('module.features.norm0.running_var', 1, -1)(given);
    expect(() => importTensors('densenet121', given)).toThrow('tensor module.features.norm0.running_var holds -1');
  });

  it('but no variance of zero', () => {
    expect(() => importTensors('densenet121', emptyWeights('densenet121'))).not.toThrow();
  });

  it("another network's weights, whose name it says", () => {
    const given = new Map([...emptyWeights('densenet121')].map(([name, tensor]) => [`module.${name}`, tensor]));
    expect(() => importTensors('resnet50', given)).toThrow(
      expect.objectContaining({
        message:
          "The weights have no tensor conv1.weight (expected 64 x 3 x 7 x 7), nor 264 others. Found: module.features.conv0.weight, module.features.norm0.weight, module.features.norm0.bias. Wanted: conv1.weight, bn1.weight, bn1.bias. These are densenet121's layers: --network densenet121.",
      }),
    );
  });
});

function oldName(name: string): string {
  const dotted = name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, '$1.$2').replace(/^classifier\./, 'classifier.0.');
  return `module.densenet121.${dotted}`;
}
