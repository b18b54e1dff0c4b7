import { tf } from '../engine/tensorflow.ts';
import type { ResnetTable } from '../spec/networks.ts';
import { toGrid } from './grid.ts';
import { layers, normalised } from './layers.ts';
import type { Network, NetworkOptions } from './network.ts';
import { imageLogits, type Products } from './products.ts';
import { residualStages } from './residual.ts';

type Table = Pick<ResnetTable, 'blocks' | 'width' | 'patch'> & {
  name: string;
  inputSize: number;
  /** He et al.'s ResNet of 2016, batch norm and ReLU first; else the plain one, whose weights can be imported. */
  preactivation: boolean;
};

interface PatchOptions {
  /** P. */
  grid: number;
  products: Products;
  /** Of the patches' logits; `raw` products need a negative one. */
  initialBias: number;
}

/**
 * Supervised: a score for each of P x P patches on a ResNet (Li et al., CVPR 2018, section 3.1); features P x P x 512.
 * The logits are those of p(y_k | x), an image has a finding where any patch has it.
 */
export function patchResnet(
  { name, blocks, width, patch, preactivation, inputSize }: Table,
  { mean, std, seed, runningMomentum = 0.1, grid, products, initialBias }: NetworkOptions & PatchOptions,
): Network {
  const make = layers({ seed, runningMomentum });
  const { stages, channels } = residualStages(make, { blocks, width }, { preactivation });
  const convolution = make.convolution('patch.convolution', { kernel: 3, from: channels, to: patch });
  const activation = make.normRelu('patch.norm', patch);
  const head = make.head(patch, initialBias);

  return {
    name,
    inputSize,
    featureShape: [grid, grid, patch],
    parameters: make.parameters,
    statistics: make.statistics,
    evidence: { kind: 'patches' },
    noiseSize: 0,
    forward(x, mode) {
      const map = toGrid(stages(normalised(x, { mean, std }), mode), grid); // [B, P, P, channels]
      const features = activation(convolution(map, mode), mode); // [B, P, P, patch]
      // The 1 x 1 convolution, as a product of matrices.
      const positions = head.logits(tf.reshape(features, [-1, patch]));
      const patches = tf.reshape(positions, [-1, grid, grid, positions.shape[1]]) as tf.Tensor4D;
      return { features, logits: imageLogits(patches, products), patches };
    },
    dispose: make.dispose,
  };
}
