/** One colour a method everywhere, safe for colour-blind eyes (Okabe and Ito). Seeds of a method share it. */
const METHOD_COLORS: Record<string, string> = {
  baseline: '#0072B2',
  robust: '#D55E00',
  chexnet: '#009E73',
  nih: '#CC79A7',
  'nih-star': '#E69F00',
  supervised: '#56B4E9',
  generative: '#7F7F7F',
};

export const CONTROL_COLOR = '#9A9A9A';
export const INK = '#1A1A1A';
export const FAINT = '#D9D9D9';
export const QUIET = '#666666';

export function methodColor(method: string): string {
  return METHOD_COLORS[method] ?? INK;
}
