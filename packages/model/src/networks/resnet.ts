import type { tf } from '../engine/tensorflow.ts';
import type { ResnetTable } from '../spec/networks.ts';
import { chain, layers, normalised } from './layers.ts';
import type { Network, NetworkOptions } from './network.ts';
import { globalPool, type Pooling } from './pooling.ts';
import { residualStages } from './residual.ts';

type Table = Pick<ResnetTable, 'blocks' | 'width'> & {
  name: string;
  inputSize: number;
  /** Channels of 1 x 1 convolution, batch norm and ReLU after the last stage; null for none. */
  transition: number | null;
};

/**
 * ResNet (He et al., CVPR 2016, table 1), stride in the 3 x 3 convolutions, as torchvision builds it; features 7 x 7 x 2048 at 224.
 * NIH (Wang et al. 2017) adds the transition layer, and pools its maps before the prediction layer; NIH* goes without it.
 */
export function resnet(
  { name, blocks, width, transition, inputSize }: Table,
  { mean, std, seed, runningMomentum = 0.1, pooling, lseSharpness }: NetworkOptions & { pooling: Pooling; lseSharpness: number },
): Network {
  const make = layers({ seed, runningMomentum });
  const { stages, channels: last } = residualStages(make, { blocks, width }, { preactivation: false });
  const steps = [stages];
  if (transition !== null) {
    steps.push(make.convolution('transition.convolution', { kernel: 1, from: last, to: transition }));
    steps.push(make.normRelu('transition.norm', transition));
  }
  const body = chain(steps);
  const channels = transition ?? last;
  const head = make.head(channels);
  // Every one of stem, max pooling and the stages but the first halves the map.
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
      return { features, logits: head.logits(globalPool(features, { pooling, lseSharpness })) };
    },
    dispose: make.dispose,
  };
}
