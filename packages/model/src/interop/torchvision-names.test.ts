import { describe, expect, it } from 'vitest';
import { TORCHVISION_NETWORKS, type TorchvisionNetwork } from '../spec/imported.ts';
import { weightShapes } from './import-testing.ts';
import { HEADS } from './torchvision.ts';
import { plainNames } from './torchvision-names.ts';

const WORDS = ['module.', 'model.', 'net.', 'backbone.', '_orig_mod.', 'densenet121.', 'resnet50.'];
// An attribute that no list can know stands before every layer, and before the head or not.
const PREFIXES = ['', ...WORDS, 'module.model.', 'model.module._orig_mod.net.backbone.', 'net.net.', 'cnn.', 'module.encoder.model.'];
const HEAD_NAMES = ['classifier', 'fc', 'head', 'classifier.0', 'classifier.1', 'fc.3', 'head.12'];

const isHead = (network: TorchvisionNetwork, name: string): boolean => name.startsWith(`${HEADS[network]}.`);

/** The name in the file of every weight, as the renaming has it, is known by torchvision's name. */
function expectKnown(network: TorchvisionNetwork, rename: (name: string) => string): void {
  const expected = weightShapes(network).map(([name]) => [name, rename(name)] as const);
  expect([
    ...plainNames(
      network,
      expected.map(([, given]) => given),
    ),
  ]).toEqual(expected);
}

describe.each(TORCHVISION_NETWORKS)('%s', (network) => {
  it.each(PREFIXES)('prefix "%s", whatever the head is called', (prefix) => {
    for (const head of HEAD_NAMES) {
      const named = (name: string): string => (isHead(network, name) ? name.replace(HEADS[network], head) : name);
      expectKnown(network, (name) => prefix + named(name));
      // The head beside the wrapped layers.
      expectKnown(network, (name) => (isHead(network, name) ? named(name) : prefix + name));
      expectKnown(network, (name) => (isHead(network, name) ? `model.${named(name)}` : prefix + name));
    }
  });

  it('some of the names with a prefix, as before', () => {
    expectKnown(network, (name) => (name.length % 2 === 0 ? `module.${network}.${name}` : name));
  });

  it('layers without a head', () => {
    const layers = weightShapes(network).flatMap(([name]) => (isHead(network, name) ? [] : [name]));
    expect([
      ...plainNames(
        network,
        layers.map((name) => `encoder.${name}`),
      ).keys(),
    ]).toEqual(layers);
  });

  it('leaves out the class weights of the loss that trained it', () => {
    expect([...plainNames(network, ['model.a.weight', 'model.b.weight', 'criterion.pos_weight', 'pos_weight']).keys()]).toEqual([
      'a.weight',
      'b.weight',
    ]);
  });
});

it("DenseNet's features alone, or first in a Sequential", () => {
  expectKnown('densenet121', (name) => name.replace(/^features\./, ''));
  expectKnown('densenet121', (name) => name.replace(/^features\./, 'backbone.'));
  expectKnown('densenet121', (name) => name.replace(/^features\./, 'features.0.'));
  expectKnown('densenet121', (name) => name.replace(/^features\./, 'model.features.0.'));
});

it('the names of torchvision before 0.3, as CheXNet reproductions have them', () => {
  expectKnown('densenet121', (name) => {
    const dotted = name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, '$1.$2').replace(/^classifier\./, 'classifier.0.');
    return `module.densenet121.${dotted}`;
  });
});
