import { FINDINGS } from '@cxr-lens/data';
import type { TorchvisionNetwork } from '../spec/imported.ts';
import { type DensenetTable, NETWORKS, type ResnetTable } from '../spec/networks.ts';
import type { PresetName } from '../spec/presets.ts';

/** One parameter or moving average by both names. */
export interface SharedTensor {
  /** `network.<layer>.<parameter>`. */
  ours: string;
  /** torchvision's, as in its state_dict. */
  theirs: string;
  /** In our layout: kernels [h, w, in, out], the head [in, out]. */
  shape: readonly number[];
}

/** The name that torchvision's class gives its last layer. */
export const HEADS: Record<TorchvisionNetwork, string> = { densenet121: 'classifier', resnet50: 'fc' };

/** Every parameter and moving average of the network with 14 outputs, in the order of its layers; `small` is what torchvision's classes build from its table. */
export function sharedTensors(network: TorchvisionNetwork, preset: PresetName): SharedTensor[] {
  return network === 'densenet121' ? densenetTensors(NETWORKS.densenet121[preset]) : resnetTensors(NETWORKS.resnet50[preset]);
}

function densenetTensors({ blocks, growth, stem }: DensenetTable): SharedTensor[] {
  const tensors = [convolution('stem.convolution', 'features.conv0', [7, 7, 3, stem]), ...norm('stem.norm', 'features.norm0', stem)];
  let channels = stem;
  for (const [index, length] of blocks.entries()) {
    const place = index + 1;
    for (let layer = 1; layer <= length; layer++) {
      const ours = `block${place}.layer${layer}`;
      const theirs = `features.denseblock${place}.denselayer${layer}`;
      tensors.push(
        ...norm(`${ours}.norm1`, `${theirs}.norm1`, channels),
        convolution(`${ours}.convolution1`, `${theirs}.conv1`, [1, 1, channels, 4 * growth]),
        ...norm(`${ours}.norm2`, `${theirs}.norm2`, 4 * growth),
        convolution(`${ours}.convolution2`, `${theirs}.conv2`, [3, 3, 4 * growth, growth]),
      );
      channels += growth;
    }
    if (place === blocks.length) continue;
    const half = Math.floor(channels / 2);
    tensors.push(
      ...norm(`transition${place}.norm`, `features.transition${place}.norm`, channels),
      convolution(`transition${place}.convolution`, `features.transition${place}.conv`, [1, 1, channels, half]),
    );
    channels = half;
  }
  return [...tensors, ...norm('norm', `features.norm${blocks.length + 1}`, channels), ...head('classifier', channels)];
}

function resnetTensors({ blocks, width }: ResnetTable): SharedTensor[] {
  const tensors = [convolution('stem.convolution', 'conv1', [7, 7, 3, width]), ...norm('stem.norm', 'bn1', width)];
  let channels = width;
  for (const [index, length] of blocks.entries()) {
    const inner = width * 2 ** index;
    for (let block = 1; block <= length; block++) {
      const ours = `stage${index + 1}.block${block}`;
      const theirs = `layer${index + 1}.${block - 1}`;
      const shapes = [
        [1, 1, channels, inner],
        [3, 3, inner, inner],
        [1, 1, inner, 4 * inner],
      ];
      for (const [at, shape] of shapes.entries()) {
        tensors.push(convolution(`${ours}.convolution${at + 1}`, `${theirs}.conv${at + 1}`, shape));
        tensors.push(...norm(`${ours}.norm${at + 1}`, `${theirs}.bn${at + 1}`, shape[3]!));
      }
      if (block === 1) {
        tensors.push(convolution(`${ours}.shortcut.convolution`, `${theirs}.downsample.0`, [1, 1, channels, 4 * inner]));
        tensors.push(...norm(`${ours}.shortcut.norm`, `${theirs}.downsample.1`, 4 * inner));
      }
      channels = 4 * inner;
    }
  }
  return [...tensors, ...head('fc', channels)];
}

function convolution(ours: string, theirs: string, shape: readonly number[]): SharedTensor {
  return { ours: `network.${ours}.kernel`, theirs: `${theirs}.weight`, shape };
}

function norm(ours: string, theirs: string, channels: number): SharedTensor[] {
  const kinds = [
    ['scale', 'weight'],
    ['offset', 'bias'],
    ['mean', 'running_mean'],
    ['variance', 'running_var'],
  ];
  return kinds.map(([our, their]) => ({ ours: `network.${ours}.${our}`, theirs: `${theirs}.${their}`, shape: [channels] }));
}

function head(theirs: string, channels: number): SharedTensor[] {
  return [
    { ours: 'network.head.kernel', theirs: `${theirs}.weight`, shape: [channels, FINDINGS.length] },
    { ours: 'network.head.bias', theirs: `${theirs}.bias`, shape: [FINDINGS.length] },
  ];
}
