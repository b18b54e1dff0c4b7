import { relu } from '../engine/operations.ts';
import { tf } from '../engine/tensorflow.ts';
import type { ResnetTable } from '../spec/networks.ts';
import { chain, type Layer, type Layers, maxPool } from './layers.ts';

/** Channels that a bottleneck gives for each of its 3 x 3 convolution (He et al., CVPR 2016). */
const EXPANSION = 4;

interface Bottleneck {
  name: string;
  /** Channels of the input. */
  from: number;
  /** Channels of the 3 x 3 convolution, where the stride is too (not in the first 1 x 1, as in the papers): torchvision's and timm's place. */
  width: number;
  stride: number;
}

/**
 * ResNet without its head: [B, S, S, 3] to [B, S / 32, S / 32, channels] for the four stages of the table.
 * @param preactivation the units of "Identity mappings" (He et al., ECCV 2016), batch norm and ReLU at the end; else those of
 *   "Deep residual learning" (CVPR 2016)
 */
export function residualStages(
  make: Layers,
  { blocks, width }: Pick<ResnetTable, 'blocks' | 'width'>,
  { preactivation }: { preactivation: boolean },
): { stages: Layer; channels: number } {
  const steps: Layer[] = [
    make.convolution('stem.convolution', { kernel: 7, from: 3, to: width, stride: 2 }),
    make.normRelu('stem.norm', width),
    maxPool,
  ];
  let channels = width;
  for (const [stage, length] of blocks.entries()) {
    for (let index = 0; index < length; index++) {
      const unit = {
        name: `stage${stage + 1}.block${index + 1}`,
        from: channels,
        width: width * 2 ** stage,
        stride: stage > 0 && index === 0 ? 2 : 1,
      };
      steps.push(preactivation ? preactivated(make, unit, { activated: stage === 0 && index === 0 }) : bottleneck(make, unit));
      channels = EXPANSION * unit.width;
    }
  }
  if (preactivation) steps.push(make.normRelu('norm', channels));
  return { stages: chain(steps), channels };
}

/** [B, H, W, from] to [B, H / stride, W / stride, 4 * width], ReLU after the sum. */
function bottleneck(make: Layers, { name, from, width, stride }: Bottleneck): Layer {
  const to = EXPANSION * width;
  const branch = chain([
    make.convolution(`${name}.convolution1`, { kernel: 1, from, to: width }),
    make.normRelu(`${name}.norm1`, width),
    make.convolution(`${name}.convolution2`, { kernel: 3, from: width, to: width, stride }),
    make.normRelu(`${name}.norm2`, width),
    make.convolution(`${name}.convolution3`, { kernel: 1, from: width, to }),
    make.norm(`${name}.norm3`, to),
  ]);
  const shortcut =
    from === to
      ? []
      : [make.convolution(`${name}.shortcut.convolution`, { kernel: 1, from, to, stride }), make.norm(`${name}.shortcut.norm`, to)];
  const carried = chain(shortcut);
  return (x, mode) => relu(tf.add(branch(x, mode), carried(x, mode)));
}

/**
 * [B, H, W, from] to [B, H / stride, W / stride, 4 * width], batch norm and ReLU before each convolution. Where the shape changes, the
 * shortcut is a convolution of the activated input; else it is the input itself.
 * @param activated the input comes from batch norm and ReLU: the first unit takes the stem's (He et al., ECCV 2016, appendix)
 */
function preactivated(make: Layers, { name, from, width, stride }: Bottleneck, { activated }: { activated: boolean }): Layer {
  const to = EXPANSION * width;
  const activation = chain(activated ? [] : [make.normRelu(`${name}.norm1`, from)]);
  const branch = chain([
    make.convolution(`${name}.convolution1`, { kernel: 1, from, to: width }),
    make.normRelu(`${name}.norm2`, width),
    make.convolution(`${name}.convolution2`, { kernel: 3, from: width, to: width, stride }),
    make.normRelu(`${name}.norm3`, width),
    make.convolution(`${name}.convolution3`, { kernel: 1, from: width, to }),
  ]);
  const shortcut = from === to ? null : make.convolution(`${name}.shortcut.convolution`, { kernel: 1, from, to, stride });
  return (x, mode) => {
    const active = activation(x, mode);
    return tf.add(branch(active, mode), shortcut ? shortcut(active, mode) : x);
  };
}
