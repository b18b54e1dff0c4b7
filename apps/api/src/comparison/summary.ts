import { type Finding, findingLabel, isBoxedFinding } from '@cxr-lens/data';
import { METHODS, parseMethod } from '@cxr-lens/model/spec';
import type { Run } from '@cxr-lens/prisma';
import { aucInterval, listed } from '../words.ts';
import type { ComparedRun } from './curve-sets.ts';
import type { Difference } from './difference.ts';

/** The method's name; with the run's own where `other` is a run of the same method. */
export function runLabel(run: Run, other?: Run): string {
  const { label } = METHODS[parseMethod(run.method)];
  return other && other.id !== run.id && other.method === run.method ? `${label} (${run.name})` : label;
}

/** What can be said of one finding, in whole sentences; null when no run was evaluated. */
export function summary(finding: Finding, compared: readonly ComparedRun[], differences: readonly Difference[]): string | null {
  const evaluated = compared.filter(({ evaluation }) => evaluation !== null);
  if (evaluated.length === 0) return null;
  const aucs = evaluated.flatMap(({ run, auc }) => {
    if (auc?.auc == null) return [];
    const other = evaluated.find((candidate) => candidate.run.id !== run.id && candidate.run.method === run.method)?.run;
    return [`${runLabel(run, other)} ${auc.auc.toFixed(2)}${aucInterval(auc)}`];
  });
  const label = findingLabel(finding);
  return [
    ...differences.map(({ statement }) => statement),
    ...(isBoxedFinding(finding) ? [] : [`No boxes of ${label} exist: where the maps point is not measured.`]),
    ...(aucs.length > 0 ? [`AUC for ${label}: ${listed(aucs)}.`] : []),
  ].join(' ');
}
