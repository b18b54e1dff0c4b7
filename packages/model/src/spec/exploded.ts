import { FINDINGS } from '@cxr-lens/data';
import { METHODS, type MethodName } from './methods.ts';
import type { TrainOptions } from './options.ts';

/** Times the loss of even odds: short healthy trainings stay below twice, exploded ones are at hundreds to 1e22. */
const FACTOR = 10;

/** The greatest loss of the answer 0.5 for a pixel in [0, 1]: 0.5^2 over twice the variance of 0.1 (`elboLosses`). */
const GREY_RECONSTRUCTION = 12.5;

/** The facts of a run that the check needs; run.json and the database row both have them. */
interface Trained {
  method: MethodName;
  options: Pick<TrainOptions, 'positiveWeight'>;
  epochs: readonly { epoch: number; validationLoss: number }[];
  bestEpoch: number | null;
}

/**
 * The greatest validation loss that a predictor of 0.5 for every finding can have, whatever the labels: 14 log 2 for an unweighted cross
 * entropy of image scores (CheXNet, Supervised); 28 log 2 where the positives weigh as much as the negatives (Eq. 1 is
 * 28 log 2 times the share of negatives, W-CEL exactly 28 log 2); for Generative that of a grey image and a code of the prior on top.
 */
export function evenOddsLoss({ method, options }: Pick<Trained, 'method' | 'options'>): number {
  const { loss } = METHODS[method];
  const weighted = loss === 'weighted-ce' || (loss !== 'patches' && options.positiveWeight === 'batch');
  return (weighted ? 2 : 1) * FINDINGS.length * Math.LN2 + (loss === 'elbo' ? GREY_RECONSTRUCTION : 0);
}

/**
 * Says so in a sentence if a run's validation loss exploded; null for others, and for imported weights. It exploded if at the best epoch,
 * whose weights are kept, it is more than ten times that of even odds for every finding. The best epoch decides: a loss that explodes
 * later stops the training, and costs nothing that was learned before.
 */
export function explodedNote(run: Trained): string | null {
  const best = run.epochs.find(({ epoch }) => epoch === run.bestEpoch);
  const chance = evenOddsLoss(run);
  if (!best || best.validationLoss <= FACTOR * chance) return null;
  return `The validation loss exploded: ${lossText(best.validationLoss)} at the best epoch (${best.epoch}), where even odds for every finding give at most ${chance.toFixed(1)}. Nothing that this network says can be relied on. Train longer, or with a smaller learningRate.`;
}

/** A loss with four decimals; from a million on as 3.642e+11, because nobody reads twenty digits. */
export function lossText(loss: number): string {
  return loss < 1e6 ? loss.toFixed(4) : loss.toExponential(3);
}
