import { CxrError, type PreparedData } from '@cxr-lens/data';
import { type IouTable, poolIous, type RunResults, type ScoreTable } from '@cxr-lens/eval';
import { iousFromMaps, readIous } from '@cxr-lens/model/ious';
import { completeFolds, poolLabel } from '@cxr-lens/model/pool-folds';
import { labelOf, type Run, variantOf } from '@cxr-lens/model/spec';
import type { StoredEvaluation } from './stored.ts';

/** A run that was named, with the evaluation that is compared. */
export interface Compare {
  folder: string;
  run: Run;
  evaluation: StoredEvaluation;
}

/** What is compared with another: a run, or five networks that each were scored on the pairs that they had not seen. */
export interface Challenger extends RunResults {
  runs: Compare[];
}

/**
 * What an evaluation kept, else what its maps and the prepared file's boxes give; null where neither does.
 * CxrError CORRUPT for IoUs of other weights or data than the evaluation's.
 */
export function iousOf({ folder, run, evaluation }: Compare, prepared: PreparedData | null): IouTable | null {
  const kept = readIous(evaluation.folder);
  if (kept === null) return prepared && iousFromMaps(evaluation.folder, { run, localization: evaluation.localization, data: prepared });
  const { weightsSha256, data } = kept.file;
  const { auc } = evaluation;
  if (weightsSha256 === auc.weightsSha256 && data.datasetHash === auc.data.datasetHash) return kept.run;
  const again = `A later evaluation was interrupted. Run cxr-lens evaluate ${folder} --data FILE again.`;
  throw new CxrError('CORRUPT', `${evaluation.folder}: ious.json is not of the same weights and data as auc.json. ${again}`);
}

/** Why `iousOf` found none, and what to do. */
export function missingIous({ folder, evaluation }: Compare, prepared: PreparedData | null): string {
  const why = `${folder} was evaluated by an earlier version, which kept no IoUs`;
  const again = `evaluate the run again: cxr-lens evaluate ${folder} --data FILE`;
  if (!prepared) return `Its localisation is not compared: ${why}. Name the prepared file with --data FILE, or ${again}.`;
  return `Its localisation is not compared: ${why}, and the maps in ${evaluation.folder} are not all there as it scored them; ${again}.`;
}

interface Kept {
  tables: readonly (IouTable | null)[];
  scores: readonly ScoreTable[] | null;
}

/** Five folds that belong together stand where the first of them was named. */
export function challengersOf(compared: readonly Compare[], { tables, scores }: Kept): Challenger[] {
  const measured = compared.map(({ run, evaluation }, index) => ({ run, localization: evaluation.localization, index }));
  const sets = completeFolds(measured);
  const runs = compared.map(({ run }) => run);
  return measured.flatMap((one): Challenger[] => {
    const { run, index } = one;
    const five = sets.find((set) => set.includes(one));
    if (five && five[0] !== one) return [];
    const own = five ?? [one];
    const ious = own.flatMap((member) => tables[member.index] ?? []);
    return [
      {
        label: five ? poolLabel(five, { runs, folds: sets }) : labelOf(run, runs),
        method: variantOf(run, runs) === null ? run.method : null,
        ious: ious.length === own.length ? poolIous(ious) : null,
        scores: scores?.[index] ?? null,
        runs: own.map((member) => compared[member.index]!),
      },
    ];
  });
}

/** Five networks have one set of IoUs, but each its own scores. */
export function firstAlone({ label, runs }: Challenger): string[] {
  return runs.length > 1 ? [`AUC of ${label}: that of its first run alone, ${runs[0]!.run.name}.`] : [];
}
