import { FOLDS, poolLocalization } from '@cxr-lens/eval';
import type { Evaluation } from './evaluate.ts';
import type { Measured } from './protocols.ts';
import { METHODS, optionsOf, type Run, variantOf } from './spec/index.ts';

type FoldEvaluation = Pick<Evaluation, 'run' | 'localization'>;

/** The sets of five among the evaluations whose curves are one: runs that differ in nothing but the fold they left out. */
export function completeFolds<T extends FoldEvaluation>(evaluations: readonly T[]): T[][] {
  const sets = new Map<string, T[]>();
  for (const evaluation of evaluations.filter(isHeldOut)) {
    const key = alike(evaluation);
    sets.set(key, [...(sets.get(key) ?? []), evaluation]);
  }
  return [...sets.values()].filter((own) => foldsOf(own).join() === Array.from({ length: FOLDS }, (_, fold) => fold).join());
}

/** What five folds together are called; several sets are told apart by their first runs. */
export function poolLabel(
  own: readonly FoldEvaluation[],
  { runs, folds }: { runs: readonly Run[]; folds: readonly (readonly FoldEvaluation[])[] },
): string {
  const { run } = own[0]!;
  const name = `${variantOf(run, runs) ?? METHODS[run.method].label}, five networks`;
  return folds.length > 1 ? `${name} (${run.name} ...)` : name;
}

/** The controls of five folds that belong together, each on the pairs that its fold left out: one curve a finding. */
export function poolControls(five: readonly FoldEvaluation[]): Measured['controls'] {
  const { resamples } = five[0]!.localization;
  const pooled = (of: (controls: Measured['controls']) => Measured['run']): Measured['run'] =>
    poolLocalization(
      five.map(({ localization }) => of(localization.controls)),
      { resamples },
    );
  return {
    random: pooled(({ random }) => random),
    centre: pooled(({ centre }) => centre),
    bestReachable: pooled(({ bestReachable }) => bestReachable),
  };
}

/** Whether it is the evaluation of a run that trained on boxes, on its own data: there alone each fold scores pairs of its own. */
function isHeldOut({ run, localization }: FoldEvaluation): boolean {
  return METHODS[run.method].loss === 'patches' && run.data?.datasetHash === localization.data.datasetHash;
}

/** All that five folds have in common, as one text. */
function alike({ run, localization }: FoldEvaluation): string {
  const { method, preset, network, options, data, imported } = run;
  const values = optionsOf(method, options).map((name) => (name === 'fold' ? '' : options[name]));
  return JSON.stringify([
    method,
    preset,
    network,
    imported?.weightsSha256,
    data?.datasetHash,
    localization.seed,
    localization.resamples,
    ...values,
  ]);
}

function foldsOf(evaluations: readonly FoldEvaluation[]): number[] {
  return evaluations.map(({ run }) => run.options.fold).sort((a, b) => a - b);
}
