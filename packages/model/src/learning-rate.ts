import type { Epoch, TrainOptions } from './spec/index.ts';

// Rajpurkar et al. 2017 and PyTorch's ReduceLROnPlateau.
const FACTOR = 10;

/**
 * The learning rate after these epochs: divided by 10 after every `plateauPatience` epochs in which the validation loss was not smaller
 * than its smallest; 0 never divides. A function of the history alone, so that a resumed training goes on with the same.
 */
export function learningRateAfter(
  epochs: readonly Pick<Epoch, 'validationLoss'>[],
  { learningRate, plateauPatience }: Pick<TrainOptions, 'learningRate' | 'plateauPatience'>,
): number {
  if (plateauPatience === 0) return learningRate;
  let smallest = Number.POSITIVE_INFINITY;
  let waited = 0;
  let divisions = 0;
  for (const { validationLoss } of epochs) {
    waited = validationLoss < smallest ? 0 : waited + 1;
    smallest = Math.min(smallest, validationLoss);
    if (waited < plateauPatience) continue;
    divisions += 1;
    waited = 0;
  }
  return learningRate / FACTOR ** divisions;
}
