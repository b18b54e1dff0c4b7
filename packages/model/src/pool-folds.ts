import { CxrError } from '@cxr-lens/data';
import { FOLDS, poolLocalization } from '@cxr-lens/eval';
import type { Evaluation } from './evaluate.ts';
import type { Measured } from './protocols.ts';
import { METHODS, optionsOf } from './spec/index.ts';

type FoldEvaluation = Pick<Evaluation, 'run' | 'localization'>;

/** The sets of five among the evaluations that `poolFolds` takes: runs that differ in nothing but the fold they left out. */
export function completeFolds<T extends FoldEvaluation>(evaluations: readonly T[]): T[][] {
  const sets = new Map<string, T[]>();
  for (const evaluation of evaluations.filter(isHeldOut)) {
    const key = alike(evaluation);
    sets.set(key, [...(sets.get(key) ?? []), evaluation]);
  }
  return [...sets.values()].filter((own) => foldsOf(own).join() === Array.from({ length: FOLDS }, (_, fold) => fold).join());
}

/**
 * One curve a finding from five Supervised runs, each scored on the part that it left out, and one of each control.
 * CxrError BAD_INPUT unless they are folds 0 ... 4, each once, of one training and one evaluation on the data that they were trained on.
 */
export function poolFolds(evaluations: readonly FoldEvaluation[]): Measured {
  if (completeFolds(evaluations)[0]?.length !== evaluations.length) {
    const found = evaluations.map(({ run }) => `${run.id} (fold ${run.options.fold})`).join(', ');
    throw new CxrError(
      'BAD_INPUT',
      `${found || 'No run'} cannot be pooled: expected runs of folds 0 to ${FOLDS - 1}, each once, alike in all else and evaluated on their own data.`,
    );
  }
  const { resamples } = evaluations[0]!.localization;
  const pooled = (of: (one: FoldEvaluation['localization']) => Measured['run']): Measured['run'] =>
    poolLocalization(
      evaluations.map(({ localization }) => of(localization)),
      { resamples },
    );
  return {
    run: pooled(({ run }) => run),
    controls: {
      random: pooled(({ controls }) => controls.random),
      centre: pooled(({ controls }) => controls.centre),
      bestReachable: pooled(({ controls }) => controls.bestReachable),
    },
  };
}

/** Whether it is the evaluation of a run that trained on boxes, on its own data: there alone each fold scores pairs of its own. */
function isHeldOut({ run, localization }: FoldEvaluation): boolean {
  return METHODS[run.method].loss === 'patches' && run.data?.datasetHash === localization.data.datasetHash;
}

/** All that five folds have in common, as one text. */
function alike({ run, localization }: FoldEvaluation): string {
  const { method, preset, network, options, data } = run;
  const values = optionsOf(method, options).map((name) => (name === 'fold' ? '' : options[name]));
  return JSON.stringify([method, preset, network, data?.datasetHash, localization.seed, localization.resamples, ...values]);
}

function foldsOf(evaluations: readonly FoldEvaluation[]): number[] {
  return evaluations.map(({ run }) => run.options.fold).sort((a, b) => a - b);
}
