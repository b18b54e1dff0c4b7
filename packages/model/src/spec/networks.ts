import { PRESETS, type PresetName } from './presets.ts';

/** DenseNet (Huang et al., CVPR 2017, table 1). */
export interface DensenetTable {
  /** Layers of each dense block. */
  blocks: readonly number[];
  /** k of the paper's table: channels that a layer adds. */
  growth: number;
  /** Channels of the first convolution. */
  stem: number;
}

/** ResNet with bottlenecks (He et al., CVPR 2016, table 1). */
export interface ResnetTable {
  /** Bottlenecks of each stage. */
  blocks: readonly number[];
  /** Channels of the first convolution and of the first stage's 3 x 3 convolutions; a stage gives four times as many as its own. */
  width: number;
  /** Channels of NIH's transition layer. */
  transition: number;
  /** Channels of the convolution before Supervised's patch scores. */
  patch: number;
}

/** Convolutional VAE, ours after Biffi et al. 2018. */
export interface VaeTable {
  /** Channels of the encoder's convolutions, each at stride 2; the decoder mirrors them. */
  channels: readonly number[];
  /** Length of the code. */
  latent: number;
  /** Hidden units of the classifier on the code. */
  hidden: number;
}

const DENSENET121 = {
  paper: { blocks: [6, 12, 24, 16], growth: 32, stem: 64 },
  small: { blocks: [4, 8, 8, 6], growth: 12, stem: 24 },
} as const satisfies Record<PresetName, DensenetTable>;

const RESNET50 = {
  paper: { blocks: [3, 4, 6, 3], width: 64, transition: 2048, patch: 512 },
  small: { blocks: [2, 2, 2, 2], width: 16, transition: 512, patch: 64 },
} as const satisfies Record<PresetName, ResnetTable>;

/** The networks of the paper's table, and small ones of the same code for the demo and the tests. */
export const NETWORKS = {
  /** DenseNet-121 without dense blocks 3, 4 and transitions 2, 3. */
  'truncated-densenet121': {
    paper: { ...DENSENET121.paper, blocks: [6, 12] },
    small: { ...DENSENET121.small, blocks: [4, 8] },
  },
  densenet121: DENSENET121,
  resnet50: RESNET50,
  /** ResNet-50 with Wang et al.'s transition layer. */
  'resnet50-transition': RESNET50,
  /** Li et al.'s patch scores on a pre-activation ResNet-50. */
  'preact-resnet50-patches': RESNET50,
  /** The same on a plain ResNet-50, whose weights can be imported. */
  'resnet50-patches': RESNET50,
  vae: {
    paper: { channels: [32, 64, 128, 128, 128], latent: 64, hidden: 64 },
    small: { channels: [16, 32, 64, 64, 64], latent: 64, hidden: 64 },
  },
} as const satisfies Record<string, Record<PresetName, DensenetTable | ResnetTable | VaeTable>>;

export type NetworkName = keyof typeof NETWORKS;

export const NETWORK_NAMES = Object.keys(NETWORKS) as [NetworkName, ...NetworkName[]];

/**
 * [height, width, channels] of the network's last feature map.
 * @param patchGrid P of a network of patch scores
 */
export function featureShapeOf(
  name: NetworkName,
  preset: PresetName,
  { patchGrid = 20 }: { patchGrid?: number } = {},
): [number, number, number] {
  const table = NETWORKS[name][preset];
  const { inputSize } = PRESETS[preset];
  if ('growth' in table) {
    const side = inputSize / 2 ** (table.blocks.length + 1);
    const channels = table.blocks.reduce((c, length, i) => (i === 0 ? c : Math.floor(c / 2)) + length * table.growth, table.stem as number);
    return [side, side, channels];
  }
  const side = inputSize / 32;
  if ('latent' in table) return [side, side, table.channels.at(-1)!];
  if (name.endsWith('-patches')) return [patchGrid, patchGrid, table.patch];
  return [side, side, name === 'resnet50-transition' ? table.transition : 32 * table.width];
}
