import { runLabels } from '../../lib/methods.ts';
import type { Comparison } from './queries.ts';

export interface PairVerdict {
  id: string;
  run: string;
  over: string;
  iouThreshold: number;
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

/** What can be said of each pair of runs, over all findings. */
export function pairVerdicts(comparisons: readonly Comparison[]): PairVerdict[] {
  const verdicts = new Map<string, PairVerdict>();
  for (const { finding, runs, differences } of comparisons) {
    const names = runLabels(runs.map(({ run }) => run));
    for (const { run, over, iouThreshold, verdict, statement } of differences) {
      const id = `${run.id} ${over.id}`;
      const pair = verdicts.get(id) ?? {
        id,
        run: names.get(run.id) ?? run.id,
        over: names.get(over.id) ?? over.id,
        iouThreshold,
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
