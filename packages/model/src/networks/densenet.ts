import { meanOfMap } from '../engine/operations.ts';
import type { tf } from '../engine/tensorflow.ts';
import type { DensenetTable } from '../spec/networks.ts';
import { averagePool, chain, concatenated, type Layer, type Layers, layers, maxPool, normalised } from './layers.ts';
import type { Network, NetworkOptions } from './network.ts';

/**
 * DenseNet (Huang et al., CVPR 2017, table 1), pre-activation, bottleneck 4k, compression 0.5, as torchvision builds it.
 * CheXNet is all of DenseNet-121, features 7 x 7 x 1024 at 224; Baseline and Robust are its dense blocks 1 and 2, features 28 x 28 x 512.
 */
export function densenet(
  { name, blocks, growth, stem, inputSize }: DensenetTable & { name: string; inputSize: number },
  { mean, std, seed, runningMomentum = 0.1 }: NetworkOptions,
): Network {
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
  const body = chain(steps);
  // Every one of stem, max pooling and the transitions halves the map.
  const side = inputSize / 2 ** (blocks.length + 1);

  return {
    name,
    inputSize,
    featureShape: [side, side, channels],
    parameters: make.parameters,
    statistics: make.statistics,
    evidence: { kind: 'cam', headWeights: () => head.weights as tf.Variable<tf.Rank.R2> },
    noiseSize: 0,
    forward(x, mode) {
      const features = body(normalised(x, { mean, std }), mode); // [B, side, side, channels]
      return { features, logits: head.logits(meanOfMap(features)) };
    },
    dispose: make.dispose,
  };
}

/** Each layer sees all maps before it and adds `growth`: [B, H, W, C] to [B, H, W, C + length * growth]. */
function denseBlock(make: Layers, name: string, { length, growth, channels }: { length: number; growth: number; channels: number }): Layer {
  const inside = Array.from({ length }, (_, index): Layer => {
    const layer = `${name}.layer${index + 1}`;
    const from = channels + index * growth;
    const grown = chain([
      make.normRelu(`${layer}.norm1`, from),
      make.convolution(`${layer}.convolution1`, { kernel: 1, from, to: 4 * growth }),
      make.normRelu(`${layer}.norm2`, 4 * growth),
      make.convolution(`${layer}.convolution2`, { kernel: 3, from: 4 * growth, to: growth }),
    ]);
    return (h, mode) => concatenated([h, grown(h, mode)], mode);
  });
  return chain(inside);
}

/** Half the channels, half the size. */
function transition(make: Layers, name: string, channels: number): Layer[] {
  return [
    make.normRelu(`${name}.norm`, channels),
    make.convolution(`${name}.convolution`, { kernel: 1, from: channels, to: Math.floor(channels / 2) }),
    averagePool,
  ];
}
