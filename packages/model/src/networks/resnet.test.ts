import { afterEach, describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { batchBeta } from '../losses/bce.ts';
import { weightedCeLosses } from '../losses/weighted-ce.ts';
import { featureShapeOf, NETWORKS } from '../spec/networks.ts';
import { PRESETS, type PresetName } from '../spec/presets.ts';
import type { Network } from './network.ts';
import type { Pooling } from './pooling.ts';
import { resnet } from './resnet.ts';
import {
  type Explained,
  error,
  explainedErrors,
  fill,
  image,
  labels,
  lostGradients,
  PIXELS,
  readReference,
  TOLERANCE,
  type Trained,
  trainingErrors,
  worst,
} from './testing.ts';

/** Made by PyTorch: packages/model/reference/resnet.py. */
const reference = readReference<{ finding: number; resnet50: Explained; nih: Explained; trained: Trained }>('resnet.json');

// resnet.py's kernels lie within sqrt(3 / fan in).
const SPREAD = 3;

function build(name: 'resnet50' | 'resnet50-transition', preset: PresetName, pooling: Pooling): Network {
  const table = NETWORKS[name][preset];
  const transition = name === 'resnet50-transition' ? table.transition : null;
  return resnet(
    { ...table, name, inputSize: PRESETS[preset].inputSize, transition },
    { ...PIXELS, seed: preset === 'paper' ? null : 0, pooling, lseSharpness: 10 },
  );
}

let open: Network | null = null;
afterEach(() => {
  open?.dispose();
  open = null;
  tf.disposeVariables();
});

/** Mean W-CEL of a batch. */
function loss(network: Network, x: tf.Tensor4D): tf.Scalar {
  const y = labels(x.shape[0]);
  const { logits } = network.forward(x, 'train');
  return tf.mean(weightedCeLosses(logits, tf.tensor2d(y, [x.shape[0], 14]), batchBeta(y)));
}

describe('against torchvision', () => {
  it.each([
    ['resnet50', 'resnet50', 'average'],
    ['nih', 'resnet50-transition', 'lse'],
  ] as const)('%s: logits, CAM and input gradient', (key, name, pooling) => {
    open = fill(build(name, 'paper', pooling), SPREAD);
    const errors = explainedErrors(open, reference[key], reference.finding);
    expect(worst(errors), JSON.stringify(errors)).toBeLessThan(TOLERANCE);
  });

  it("nih with fewer bottlenecks: a training step's loss, gradients and moving averages", () => {
    const table = { ...NETWORKS['resnet50-transition'].paper, blocks: [2, 1, 1, 1], name: 'nih', inputSize: 64 };
    const network = fill(resnet(table, { ...PIXELS, pooling: 'lse', lseSharpness: 10 }), SPREAD);
    open = network;
    const errors = trainingErrors(network, () => loss(network, image(4, 64)), reference.trained);
    expect(worst(errors), JSON.stringify(errors)).toBeLessThan(TOLERANCE);
  });
});

describe('ResNet', () => {
  it.each(['resnet50', 'resnet50-transition'] as const)(
    '%s: small gives the shapes of the table, a gradient for every parameter, and leaves no tensor',
    (name) => {
      const network = build(name, 'small', 'lse');
      open = network;
      expect(network.featureShape).toEqual(featureShapeOf(name, 'small'));
      const count = tf.memory().numTensors;
      tf.tidy(() => {
        const x = image(2, 96);
        const { features, logits } = network.forward(x, 'inference');
        expect(features.shape).toEqual([2, ...network.featureShape]);
        expect(logits.shape).toEqual([2, 14]);
        expect(lostGradients(network, () => loss(network, x))).toEqual([]);
      });
      expect(tf.memory().numTensors).toBe(count);
    },
  );

  it('names each parameter network.<layer>.<parameter>, in the layers of the paper', () => {
    open = build('resnet50-transition', 'small', 'lse');
    const names = [...open.parameters.keys()];
    expect(names.every((name) => /^network(\.[a-z]+\d*)+\.(kernel|scale|offset|bias)$/.test(name))).toBe(true);
    const shapes = Object.fromEntries([...open.parameters].map(([name, { shape }]) => [name, shape]));
    expect(shapes['network.stage1.block1.shortcut.convolution.kernel']).toEqual([1, 1, 16, 64]);
    expect(shapes['network.stage4.block2.convolution2.kernel']).toEqual([3, 3, 128, 128]);
    expect(shapes['network.transition.convolution.kernel']).toEqual([1, 1, 512, 512]);
    expect(shapes['network.head.kernel']).toEqual([512, 14]);
    expect(names).not.toContain('network.stage1.block2.shortcut.convolution.kernel');
    expect([...open.statistics.keys()]).toContain('network.stage1.block1.shortcut.norm.variance');
  });

  it.each([
    ['average', tf.mean],
    ['max', tf.max],
  ] as const)('%s: pools the maps that it hands out, before the prediction layer', (pooling, reduce) => {
    const network = build('resnet50-transition', 'small', pooling);
    open = network;
    tf.tidy(() => {
      const { features, logits } = network.forward(image(1, 96), 'inference');
      if (network.evidence.kind !== 'cam') throw new Error('no CAM');
      const expected = tf.matMul(reduce(features, [1, 2]) as tf.Tensor2D, network.evidence.headWeights()).dataSync();
      expect(error(logits.dataSync(), [...expected])).toBeLessThan(1e-5);
    });
  });
});
