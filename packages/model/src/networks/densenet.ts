import { tf } from '../engine/tensorflow.ts';
import { PRESETS, type PresetName } from '../spec/presets.ts';
import { averagePool, globalAveragePool, type Layer, type Layers, layers, maxPool, normalised } from './layers.ts';
import type { Network } from './network.ts';

export interface DensenetOptions {
  /** Mean and standard deviation of the pixels in [0, 1], the network's first step. */
  mean: number;
  std: number;
  /** Of the initial weights. */
  seed: number;
  /** Share of a batch's statistics in the moving averages; 0.1 as PyTorch. */
  runningMomentum?: number;
}

interface Table {
  name: string;
  /** Layers of each dense block. */
  blocks: readonly number[];
  /** k of the paper's table: channels that a layer adds. */
  growth: number;
  /** Channels of the first convolution. */
  stem: number;
  inputSize: number;
}

/** DenseNet (Huang et al., CVPR 2017, table 1), pre-activation, bottleneck 4k, compression 0.5, as torchvision builds it. */
function densenet({ name, blocks, growth, stem, inputSize }: Table, { mean, std, seed, runningMomentum = 0.1 }: DensenetOptions): Network {
  const make = layers({ seed, runningMomentum });
  let channels = stem;
  const steps: Layer[] = [
    make.convolution('stem.convolution', { kernel: 7, from: 3, to: stem, stride: 2 }),
    make.normRelu('stem.norm', stem),
    maxPool,
  ];
  for (const [index, length] of blocks.entries()) {
    steps.push(denseBlock(make, `block${index + 1}`, { length, growth, channels }));
    channels += length * growth;
    if (index === blocks.length - 1) continue;
    steps.push(...transition(make, `transition${index + 1}`, channels));
    channels = Math.floor(channels / 2);
  }
  steps.push(make.normRelu('norm', channels));
  const head = make.head(channels);
  // Every one of stem, max pooling and the transitions halves the map.
  const side = inputSize / 2 ** (blocks.length + 1);

  return {
    name,
    inputSize,
    featureShape: [side, side, channels],
    parameters: make.parameters,
    statistics: make.statistics,
    forward(x, mode) {
      const features = steps.reduce((h, step) => step(h, mode), normalised(x, { mean, std })); // [B, side, side, channels]
      return { features, logits: head.logits(globalAveragePool(features)) };
    },
    headWeights: () => head.weights as tf.Variable<tf.Rank.R2>,
    dispose: make.dispose,
  };
}

/** Each layer sees all maps before it and adds `growth`: [B, H, W, C] to [B, H, W, C + length * growth]. */
function denseBlock(make: Layers, name: string, { length, growth, channels }: { length: number; growth: number; channels: number }): Layer {
  const inside = Array.from({ length }, (_, index) => {
    const layer = `${name}.layer${index + 1}`;
    const from = channels + index * growth;
    return [
      make.normRelu(`${layer}.norm1`, from),
      make.convolution(`${layer}.convolution1`, { kernel: 1, from, to: 4 * growth }),
      make.normRelu(`${layer}.norm2`, 4 * growth),
      make.convolution(`${layer}.convolution2`, { kernel: 3, from: 4 * growth, to: growth }),
    ];
  });
  return (x, mode) => inside.reduce((h, steps) => tf.concat([h, steps.reduce((y, step) => step(y, mode), h)], 3), x);
}

/** Half the channels, half the size. */
function transition(make: Layers, name: string, channels: number): Layer[] {
  return [
    make.normRelu(`${name}.norm`, channels),
    make.convolution(`${name}.convolution`, { kernel: 1, from: channels, to: Math.floor(channels / 2) }),
    averagePool,
  ];
}

/** CheXNet's network, and the reference check's: features 7 x 7 x 1024. */
export function densenet121(options: DensenetOptions): Network {
  return densenet({ name: 'densenet121', blocks: [6, 12, 24, 16], growth: 32, stem: 64, inputSize: 224 }, options);
}

/** Baseline and Robust: DenseNet-121 without dense blocks 3, 4 and transitions 2, 3; features of `paper` 28 x 28 x 512. */
export function truncatedDensenet({ preset, ...options }: DensenetOptions & { preset: PresetName }): Network {
  return densenet({ ...PRESETS[preset], name: 'truncated-densenet121' }, options);
}
