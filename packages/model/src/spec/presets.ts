import { CxrError } from '@cxr-lens/data';

export interface PresetInfo {
  name: string;
  /** Layers of the dense blocks. */
  blocks: readonly number[];
  growth: number;
  /** Channels of the first convolution. */
  stem: number;
  /** Side of the square input in pixels; a prepared file of another size is refused. */
  inputSize: number;
  /** Last feature map, [height, width, channels]: the CAM's own size. */
  featureShape: readonly [number, number, number];
  description: string;
}

/** Sizes of the truncated DenseNet-121: the paper's, and a small one of the same code for the demo and the tests. */
export const PRESETS = {
  paper: {
    name: 'paper',
    blocks: [6, 12],
    growth: 32,
    stem: 64,
    inputSize: 224,
    featureShape: [28, 28, 512],
    description: "The paper's network: dense blocks 1 and 2 of DenseNet-121 at 224 x 224.",
  },
  small: {
    name: 'small',
    blocks: [4, 8],
    growth: 12,
    stem: 24,
    inputSize: 96,
    featureShape: [12, 12, 132],
    description: 'The same code, smaller: dense blocks of 4 and 8 layers, growth 12, at 96 x 96.',
  },
} as const satisfies Record<string, PresetInfo>;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]];

/** The preset of that name; CxrError BAD_INPUT names the known ones. */
export function parsePreset(text: string): PresetName {
  const found = PRESET_NAMES.find((candidate) => candidate === text);
  if (!found) throw new CxrError('BAD_INPUT', `"${text}" is no preset; the presets are ${PRESET_NAMES.join(', ')}.`);
  return found;
}
