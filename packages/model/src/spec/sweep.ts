import { CxrError } from '@cxr-lens/data';
import { optionsOf, parseTrainOptions, type TrainOptions } from './options.ts';

/** The sizes of the perturbation in Fig. 4, in pixels of [0, 1] [ours]; 0 is the control: trained on, unperturbed. */
export const SWEEP_EPSILONS: readonly number[] = [0, 0.001, 0.002, 0.005, 0.01, 0.02];

const EXPECTED = 'expected numbers from 0 to 1 in pixels of [0, 1], each once, for example 0,0.005,0.01';

/**
 * Every option of each run of a sweep, in the order of `epsilons`: they differ in epsilon alone.
 * CxrError BAD_INPUT for no epsilon, one outside of [0, 1], one given twice, and options that leave epsilon no meaning.
 */
export function sweepOptions(epsilons: readonly number[], given: unknown): TrainOptions[] {
  if (epsilons.length === 0) throw new CxrError('BAD_INPUT', `No epsilon to train with; ${EXPECTED}.`);
  const wrong = epsilons.find((epsilon) => !(epsilon >= 0 && epsilon <= 1));
  if (wrong !== undefined) throw new CxrError('BAD_INPUT', `Epsilon ${wrong} is outside of [0, 1]; ${EXPECTED}.`);
  const twice = epsilons.find((epsilon, index) => epsilons.indexOf(epsilon) !== index);
  if (twice !== undefined) throw new CxrError('BAD_INPUT', `Epsilon ${twice} is given twice; ${EXPECTED}.`);
  if ('epsilon' in Object(given)) {
    throw new CxrError('BAD_INPUT', 'Option epsilon: every run of a sweep has its own; put it into the list of epsilons.');
  }
  const shared = parseTrainOptions('robust', given);
  if (!optionsOf('robust', shared).includes('epsilon')) {
    throw new CxrError(
      'BAD_INPUT',
      `Option perturbation: ${shared.perturbation} has no epsilon, so that all runs would be one; use linf, l2 or noise.`,
    );
  }
  return epsilons.map((epsilon) => parseTrainOptions('robust', { ...Object(given), epsilon }));
}

/** The epsilons of a text like `0,0.005,0.01`. CxrError BAD_INPUT for one that is no number. */
export function parseEpsilons(text: string): number[] {
  if (text.trim() === '') return [];
  return text.split(',').map((part) => {
    const value = part.trim();
    if (value !== '' && Number.isFinite(Number(value))) return Number(value);
    throw new CxrError('BAD_INPUT', `Epsilon "${value}" is no number; ${EXPECTED}.`);
  });
}
