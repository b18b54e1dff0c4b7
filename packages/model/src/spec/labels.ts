import { METHODS } from './methods.ts';
import { saidOptions, type TrainOptionName } from './options.ts';
import type { Run } from './run.ts';

/** Options of how long, in which order and with which rounding a run trained, and on which fold: they make no other method of it. */
const SAME_METHOD: readonly TrainOptionName[] = [
  'seed',
  'learningRate',
  'momentum',
  'batchSize',
  'accumulation',
  'precision',
  'patience',
  'patienceSteps',
  'maxEpochs',
  'maxSteps',
  'runningMomentum',
  'checkpointSeconds',
  'fold',
];

/** The options in which a run differs from its method as the paper trains it. */
export function changedOptions({ method, options }: Run): TrainOptionName[] {
  return saidOptions(method, options).filter((name) => !SAME_METHOD.includes(name));
}

/** "Robust, epsilon 0.02"; null for a run of the method as it is. Where runs of it start from different weights, imported ones are named. */
export function variantOf(run: Run, beside: readonly Run[]): string | null {
  const { label } = METHODS[run.method];
  if (run.data === null) return `${label}, imported`;
  const started = ({ imported }: Run): string | null => imported?.weightsSha256 ?? null;
  const differs = beside.some((other) => other.method === run.method && other.data !== null && started(other) !== started(run));
  const start = differs && run.imported ? [`from ${run.imported.id}`] : [];
  const changed = changedOptions(run).map((name) => `${name} ${run.options[name]}`);
  return start.length + changed.length === 0 ? null : [label, ...start, ...changed].join(', ');
}

/** What people call a run among those beside it: two of one method are told apart by their names. */
export function labelOf(run: Run, beside: readonly Run[]): string {
  const nameOf = (one: Run): string => variantOf(one, beside) ?? METHODS[one.method].label;
  return beside.filter((other) => nameOf(other) === nameOf(run)).length > 1 ? `${nameOf(run)} (${run.name})` : nameOf(run);
}
