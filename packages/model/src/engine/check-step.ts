import { CxrError } from '@cxr-lens/data';

export type Values = Record<string, Float32Array>;

// Kernels of a graph are the eager ones, but fused and added in another order: a ReLU at zero or the sign of a gradient may turn.
const OUTPUT_TOLERANCE = 0.05;
const STATE_TOLERANCE = 0.1;

interface Check {
  outputs: readonly [Values, Values];
  state: readonly [Values, Values];
  before: Values;
  /** Of the state. */
  tolerance?: number | undefined;
  outputTolerance?: number | undefined;
}

/** CxrError INTERNAL where the first of each pair, the graph's, is not the second, the step's own. */
export function checkStep(step: string, check: Check): void {
  const { outputs, state, before, tolerance = STATE_TOLERANCE, outputTolerance = OUTPUT_TOLERANCE } = check;
  const zero = Object.fromEntries(Object.entries(outputs[1]).map(([name, values]) => [name, new Float32Array(values.length)]));
  const gaps = { outputs: relativeGap(outputs, zero), state: relativeGap(state, before) };
  if (gaps.outputs <= outputTolerance && gaps.state <= tolerance) return;
  const found = `outputs ${gaps.outputs.toExponential(1)}, change of the state ${gaps.state.toExponential(1)} off, relative`;
  throw new CxrError('INTERNAL', `The compiled ${step} computes something else than the step itself: ${found}.`);
}

/** Length of the difference over the length of the expected change, over all arrays; 0 where nothing is a number to compare. */
function relativeGap([found, expected]: readonly [Values, Values], from: Values): number {
  let [gap, change] = [0, 0];
  for (const [name, values] of Object.entries(expected)) {
    for (const [index, value] of values.entries()) {
      gap += (value - found[name]![index]!) ** 2;
      change += (value - from[name]![index]!) ** 2;
    }
  }
  return gap === 0 || !Number.isFinite(change) ? 0 : Math.sqrt(gap / change);
}
