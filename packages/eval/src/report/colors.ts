/**
 * The methods in the order in which figures and tables show them, each with one colour everywhere, safe for colour-blind eyes (Okabe and
 * Ito). Seeds and variants of a method share it.
 */
const METHODS = {
  baseline: { label: 'Baseline', color: '#0072B2' },
  robust: { label: 'Robust', color: '#D55E00' },
  chexnet: { label: 'CheXNet', color: '#009E73' },
  nih: { label: 'NIH', color: '#CC79A7' },
  'nih-star': { label: 'NIH*', color: '#E69F00' },
  supervised: { label: 'Supervised', color: '#56B4E9' },
  generative: { label: 'Generative', color: '#7F7F7F' },
};

export const CONTROL_COLOR = '#9A9A9A';
export const INK = '#1A1A1A';
export const FAINT = '#D9D9D9';
export const QUIET = '#666666';

const known = new Map(Object.entries(METHODS));

export function methodColor(method: string): string {
  return known.get(method)?.color ?? INK;
}

/** As a person reads it: "NIH*". */
export function methodLabel(method: string): string {
  return known.get(method)?.label ?? method;
}

/** Its place in figures and tables; unknown methods come last. */
export function methodOrder(method: string): number {
  const index = [...known.keys()].indexOf(method);
  return index < 0 ? known.size : index;
}
