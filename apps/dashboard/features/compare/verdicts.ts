import { runLabels } from '../../lib/methods.ts';
import type { Comparison } from './queries.ts';

export interface PairVerdict {
  id: string;
  run: string;
  over: string;
  /** The same findings in the findings' order, by what can be said of them. */
  higher: Said[];
  lower: Said[];
  undecided: Said[];
}

export interface Said {
  finding: string;
  label: string;
  statement: string;
}

const PLACE = { HIGHER: 'higher', LOWER: 'lower', UNDECIDED: 'undecided' } as const;

/** What can be said of each pair of runs that one protocol measured, over all findings. */
export function pairVerdicts(comparisons: readonly Comparison[]): PairVerdict[] {
  const verdicts = new Map<string, PairVerdict>();
  for (const { finding, runs, differences } of comparisons) {
    const names = runLabels(runs.map(({ run }) => run));
    for (const { run, over, verdict, statement } of differences) {
      if (verdict === 'NOT_COMPARABLE') continue;
      const id = `${run.id} ${over.id}`;
      const pair = verdicts.get(id) ?? {
        id,
        run: names.get(run.id) ?? run.id,
        over: names.get(over.id) ?? over.id,
        higher: [],
        lower: [],
        undecided: [],
      };
      pair[PLACE[verdict]].push({ finding: finding.name, label: finding.label, statement });
      verdicts.set(id, pair);
    }
  }
  return [...verdicts.values()];
}

/** The pairs of runs that were measured by two protocols: `Supervised over Baseline`. */
export function notComparable(comparisons: readonly Comparison[]): string[] {
  const pairs = comparisons.flatMap(({ runs, differences }) => {
    const names = runLabels(runs.map(({ run }) => run));
    return differences
      .filter(({ verdict }) => verdict === 'NOT_COMPARABLE')
      .map(({ run, over }) => `${names.get(run.id) ?? run.id} over ${names.get(over.id) ?? over.id}`);
  });
  return [...new Set(pairs)];
}
