import { afterEach, describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { patchLosses } from '../losses/patch.ts';
import { NETWORKS } from '../spec/networks.ts';
import { PRESETS, type PresetName } from '../spec/presets.ts';
import type { Network } from './network.ts';
import { patchResnet } from './patch-resnet.ts';
import type { Products } from './products.ts';
import { resnet } from './resnet.ts';
import { type Explained, explainedErrors, fill, image, labels, lostGradients, PIXELS, readReference, TOLERANCE, worst } from './testing.ts';

/** Made by PyTorch and timm: packages/model/reference/resnet.py. */
const reference = readReference<{ finding: number; patches: Explained }>('resnet.json');

// resnet.py's kernels lie within sqrt(3 / fan in).
const SPREAD = 3;

function build(
  name: 'preact-resnet50-patches' | 'resnet50-patches',
  preset: PresetName,
  given: Partial<{ grid: number; products: Products; initialBias: number }> = {},
): Network {
  const seed = preset === 'paper' ? null : 0;
  const options = { ...PIXELS, seed, grid: 20, products: 'mapped' as const, initialBias: 0, ...given };
  return patchResnet(
    { ...NETWORKS[name][preset], name, inputSize: PRESETS[preset].inputSize, preactivation: name === 'preact-resnet50-patches' },
    options,
  );
}

let open: Network | null = null;
afterEach(() => {
  open?.dispose();
  open = null;
  tf.disposeVariables();
});

describe('Supervised', () => {
  it('pre-activation, against timm: logits, patches and input gradient', () => {
    open = fill(build('preact-resnet50-patches', 'paper'), SPREAD);
    const errors = explainedErrors(open, reference.patches, reference.finding);
    expect(worst(errors), JSON.stringify(errors)).toBeLessThan(TOLERANCE);
  });

  it.each([
    ['preact-resnet50-patches', { grid: 20, products: 'mapped' }],
    ['resnet50-patches', { grid: 20, products: 'raw', initialBias: -6 }],
    // The last stage's maps are 3 x 3 at 96 x 96: taken as they are, and max pooled.
    ['preact-resnet50-patches', { grid: 3, products: 'mapped' }],
    ['resnet50-patches', { grid: 1, products: 'raw' }],
  ] as const)('%s, small, %o: a score a patch, a gradient for every parameter, and no tensor left', (name, given) => {
    const network = build(name, 'small', given);
    open = network;
    const { grid, products } = given;
    expect(network.featureShape).toEqual([grid, grid, NETWORKS[name].small.patch]);
    const count = tf.memory().numTensors;
    tf.tidy(() => {
      const x = image(2, 96);
      const { features, patches, logits } = network.forward(x, 'inference');
      expect([features.shape, patches!.shape, logits.shape]).toEqual([
        [2, ...network.featureShape],
        [2, grid, grid, 14],
        [2, 14],
      ]);
      const options = { boxes: null, boxWeight: 5, products } as const;
      const loss = (): tf.Scalar => tf.mean(patchLosses(network.forward(x, 'train').patches!, tf.tensor2d(labels(2), [2, 14]), options));
      expect(lostGradients(network, loss)).toEqual([]);
    });
    expect(tf.memory().numTensors).toBe(count);
  });

  it('starts with the bias that it is given', () => {
    open = build('resnet50-patches', 'small', { initialBias: -6 });
    expect([...open.parameters.get('network.head.bias')!.dataSync()]).toEqual(new Array(14).fill(-6));
  });

  it('shares names and shapes with the ResNet whose weights it takes, all but the head', () => {
    const network = build('resnet50-patches', 'small');
    open = network;
    const table = { ...NETWORKS.resnet50.small, name: 'resnet50', inputSize: 96, transition: null };
    const plain = resnet(table, { ...PIXELS, pooling: 'average', lseSharpness: 10 });
    const shared = [...plain.parameters, ...plain.statistics].filter(([name]) => !name.startsWith('network.head'));
    for (const [name, { shape }] of shared) {
      expect((network.parameters.get(name) ?? network.statistics.get(name))?.shape, name).toEqual(shape);
    }
    const own = [...network.parameters.keys()].filter((name) => !plain.parameters.has(name));
    expect(own).toEqual(['patch.convolution.kernel', 'patch.norm.scale', 'patch.norm.offset'].map((name) => `network.${name}`));
    plain.dispose();
  });

  it('pre-activation: no norm in a shortcut, none before the first unit, one at the end', () => {
    open = build('preact-resnet50-patches', 'small');
    const norms = [...open.parameters.keys()]
      .filter((name) => name.endsWith('.scale'))
      .map((name) => name.slice('network.'.length, -'.scale'.length));
    expect(norms.slice(0, 5)).toEqual([
      'stem.norm',
      'stage1.block1.norm2',
      'stage1.block1.norm3',
      'stage1.block2.norm1',
      'stage1.block2.norm2',
    ]);
    expect(norms.slice(-3)).toEqual(['stage4.block2.norm3', 'norm', 'patch.norm']);
    expect(norms.filter((name) => name.includes('shortcut'))).toEqual([]);
  });
});
