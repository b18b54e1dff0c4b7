import { METHODS } from './methods.ts';
import { defaultOptions, optionsOf, type TrainOptionName } from './options.ts';
import type { Run } from './run.ts';

/** Options of how long and in which order a run trained, and on which fold: they make no other method of it. */
const SAME_METHOD: readonly TrainOptionName[] = [
  'seed',
  'optimiser',
  'learningRate',
  'plateauPatience',
  'momentum',
  'batchSize',
  'accumulation',
  'patience',
  'maxEpochs',
  'maxSteps',
  'runningMomentum',
  'checkpointSeconds',
  'fold',
];

/** The options in which a run differs from its method as the paper trains it. */
export function changedOptions({ method, options }: Run): TrainOptionName[] {
  const defaults: Record<string, unknown> = { ...defaultOptions(method, options.recipe), recipe: 'paper' };
  return optionsOf(method, options).filter((name) => !SAME_METHOD.includes(name) && options[name] !== defaults[name]);
}

/** "Robust, epsilon 0.02"; null for a run of the method as it is. */
export function variantOf(run: Run): string | null {
  const { label } = METHODS[run.method];
  if (run.data === null) return `${label}, imported`;
  const changed = changedOptions(run);
  return changed.length === 0 ? null : [label, ...changed.map((name) => `${name} ${run.options[name]}`)].join(', ');
}

/** What people call a run among those beside it: two of one method are told apart by their names. */
export function labelOf(run: Run, beside: readonly Run[]): string {
  const nameOf = (one: Run): string => variantOf(one) ?? METHODS[one.method].label;
  return beside.filter((other) => nameOf(other) === nameOf(run)).length > 1 ? `${nameOf(run)} (${run.name})` : nameOf(run);
}
