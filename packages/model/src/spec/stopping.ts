import type { TrainOptions } from './options.ts';

/** Where a training stands: its epochs that have ended are `1 ... n`, and `bestEpoch` is the one with the smallest validation loss. */
interface Standing {
  /** Null before the first epoch has ended. */
  bestEpoch: number | null;
  stepsPerEpoch: number;
  options: Pick<TrainOptions, 'patience' | 'patienceSteps' | 'maxEpochs' | 'maxSteps'>;
}

export interface End {
  /** The training ends with this epoch, or later where a smaller validation loss moves the end on. */
  epoch: number;
  /** `cap`: `maxEpochs` or `maxSteps`, which nothing moves. `stop rule`: no smaller validation loss for `patience` epochs and `patienceSteps` steps. */
  by: 'cap' | 'stop rule';
}

/** The epoch with which a training ends if no further one brings a smaller validation loss: the rule by which it stops. */
export function earliestEnd({ bestEpoch, stepsPerEpoch, options }: Standing): End {
  const { patience, patienceSteps, maxEpochs, maxSteps } = options;
  const epochsOf = (steps: number): number => Math.ceil(steps / stepsPerEpoch);
  const cap = maxSteps > 0 ? Math.min(maxEpochs, epochsOf(maxSteps)) : maxEpochs;
  // The first epoch is the best when it ends.
  const stop = (bestEpoch ?? 1) + Math.max(patience, epochsOf(patienceSteps));
  return cap <= stop ? { epoch: cap, by: 'cap' } : { epoch: stop, by: 'stop rule' };
}

/** Epochs at the end of the history whose time tells how long the next ones take. */
const RECENT = 3;

/** Seconds from the end of the last epoch to the end of the training, at the speed of the last epochs; null before there is one. */
export function secondsLeft({ epoch }: Pick<End, 'epoch'>, epochs: readonly { seconds: number }[]): number | null {
  if (epochs.length === 0) return null;
  const recent = epochs.slice(-RECENT);
  const each = recent.reduce((sum, { seconds }) => sum + seconds, 0) / recent.length;
  return Math.max(0, epoch - epochs.length) * each;
}
