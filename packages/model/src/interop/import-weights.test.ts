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
import { emptyWeights, reference, torchvisionWeights, zeros } from './import-testing.ts';
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
    expect(Object.fromEntries(ours)).toEqual(reference[name].shapes);
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
  it.each([
    [
      'a missing tensor',
      (given: Map<string, HostTensor>) => given.delete('features.denseblock3.denselayer24.conv2.weight'),
      'no tensor features.denseblock3.denselayer24.conv2.weight (expected 32 x 128 x 3 x 3)',
    ],
    [
      'a network of one channel',
      (given: Map<string, HostTensor>) => given.set('features.conv0.weight', zeros(64, 1, 7, 7)),
      'features.conv0.weight is 64 x 1 x 7 x 7, expected 64 x 3 x 7 x 7; import the state_dict of torchvision',
    ],
    ['an unknown tensor', (given: Map<string, HostTensor>) => given.set('fc.weight', zeros(14, 2)), 'fc.weight (14 x 2) is none of'],
    ['half a head', (given: Map<string, HostTensor>) => given.delete('classifier.bias'), 'no tensor classifier.bias (expected 14)'],
    [
      'a tensor under two names',
      (given: Map<string, HostTensor>) => given.set('module.classifier.bias', zeros(14)),
      'classifier.bias twice, once as module.classifier.bias',
    ],
  ])('%s', (_, spoil, message) => {
    const given = emptyWeights('densenet121');
    spoil(given);
    const importing = () => importTensors('densenet121', given);
    expect(importing).toThrow(expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(message) }));
  });

  it("another network's weights", () => {
    expect(() => importTensors('resnet50', emptyWeights('densenet121'))).toThrow('no tensor conv1.weight (expected 64 x 3 x 7 x 7)');
  });
});

function oldName(name: string): string {
  const dotted = name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, '$1.$2').replace(/^classifier\./, 'classifier.0.');
  return `module.densenet121.${dotted}`;
}
