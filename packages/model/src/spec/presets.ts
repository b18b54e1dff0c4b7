import { CxrError } from '@cxr-lens/data';

export interface PresetInfo {
  name: string;
  /** Side of the square input in pixels; a prepared file of another size is refused. */
  inputSize: number;
  description: string;
}

/** Sizes of every network: the paper's, and a small one of the same code for the demo and the tests. */
export const PRESETS = {
  paper: { name: 'paper', inputSize: 224, description: "The paper's networks at 224 x 224." },
  small: { name: 'small', inputSize: 96, description: 'The same code with fewer layers and channels, at 96 x 96.' },
} as const satisfies Record<string, PresetInfo>;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]];

/** The preset of that name; CxrError BAD_INPUT names the known ones. */
export function parsePreset(text: string): PresetName {
  const found = PRESET_NAMES.find((candidate) => candidate === text);
  if (!found) throw new CxrError('BAD_INPUT', `"${text}" is no preset; the presets are ${PRESET_NAMES.join(', ')}.`);
  return found;
}
