import type { ForestRow } from '../../charts/forest-plot.tsx';
import type { Cell, Sheet } from '../../charts/sheet.ts';
import { aucInterval, decimal, FEW_CASES, plural } from '../../lib/format.ts';
import { methodColour, referenceColour, runLabels, runRanks } from '../../lib/methods.ts';
import type { Comparison } from './queries.ts';

/** The paper's methods first; each method beside them apart, with what has to be said of it. */
export function aucGroups(comparisons: readonly Comparison[]): { note: string | null; comparisons: Comparison[] }[] {
  const notes = [...new Set(comparisons[0]?.runs.map(({ run }) => run.method.note) ?? [])];
  return notes
    .toSorted((a, b) => Number(a !== null) - Number(b !== null))
    .map((note) => ({
      note,
      comparisons: comparisons.map((comparison) => ({
        ...comparison,
        runs: comparison.runs.filter(({ run }) => run.method.note === note),
        publishedAuc: note === null ? comparison.publishedAuc : [],
      })),
    }));
}

/** What the scoring of runs left out, in words; null where it left out nothing. */
export function leftOut({ runs }: Pick<Comparison, 'runs'>): string | null {
  const names = runLabels(runs.map(({ run }) => run));
  const sentences = runs.flatMap(({ run, evaluation }) =>
    evaluation && evaluation.excludedPatients > 0
      ? [`${names.get(run.id)}: ${plural(evaluation.excludedPatients, 'patient')} of the test split not scored, it had trained on them.`]
      : [],
  );
  return sentences.length > 0 ? sentences.join(' ') : null;
}

/** The rows of the forest plot, one a finding. */
export function forestRows(comparisons: readonly Comparison[]): ForestRow[] {
  return comparisons.map(({ finding, runs, publishedAuc }) => {
    const names = runLabels(runs.map(({ run }) => run));
    const ranks = runRanks(runs.map(({ run }) => run));
    return {
      name: finding.label,
      items: runs.map(({ run, auc }) => ({
        id: run.id,
        label: names.get(run.id)!,
        colour: methodColour(run.method.name),
        rank: ranks.get(run.id)!,
        value: auc?.auc ?? null,
        low: auc?.low ?? null,
        high: auc?.high ?? null,
        reason: auc?.reason ?? null,
      })),
      published: publishedAuc.map(({ label, split, auc }) => ({
        label: `${label} (${split})`,
        colour: referenceColour(label),
        value: auc,
      })),
    };
  });
}

/** "mean AUC 0.812", or with why it has no interval. */
export function meanText(comparisons: readonly Comparison[], index: number): string {
  const { meanAuc = null, meanAucLow = null, meanAucHigh = null } = comparisons[0]?.runs[index]?.evaluation ?? {};
  const few = comparisons.some(({ runs }) => runs[index]?.auc?.reason === FEW_CASES);
  return `mean AUC ${decimal(meanAuc, 3)} ${aucInterval({ low: meanAucLow, high: meanAucHigh, reason: few ? FEW_CASES : null })}`.trim();
}

/** AUC of each finding and run as a table. */
export function aucSheet(comparisons: readonly Comparison[]): Sheet {
  const runs = comparisons[0]?.runs.map(({ run }) => run) ?? [];
  const names = runLabels(runs);
  const reasons = comparisons.some((comparison) => comparison.runs.some(({ auc }) => auc?.reason));
  const rows = comparisons.map((comparison): Cell[] => {
    const any = comparison.runs.find(({ auc }) => auc !== null)?.auc;
    return [
      comparison.finding.label,
      any?.positives ?? null,
      any?.negatives ?? null,
      ...comparison.runs.flatMap(({ auc }): Cell[] => [
        auc?.auc ?? null,
        auc?.low ?? null,
        auc?.high ?? null,
        ...(reasons ? [auc?.reason ?? null] : []),
      ]),
    ];
  });
  return {
    name: 'auc',
    columns: [
      'Finding',
      'Positives',
      'Negatives',
      ...runs.flatMap(({ id }) => [
        ...['AUC', 'from', 'to'].map((what) => `${names.get(id)} ${what}`),
        ...(reasons ? [`${names.get(id)} reason`] : []),
      ]),
    ],
    rows,
  };
}
