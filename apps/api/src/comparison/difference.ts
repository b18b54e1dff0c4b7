import { type BoxedFinding, type Finding, findingLabel, isBoxedFinding } from '@cxr-lens/data';
import type { Run } from '@cxr-lens/prisma';
import { TRUST_IOU } from '../evidence.ts';
import type { TaskRunner } from '../tasks/runner.ts';
import type { ComparedRun } from './curve-sets.ts';
import type { MeasuredCurves, PairedDifference } from './paired.ts';
import { runLabel } from './summary.ts';

export interface Difference {
  run: Run;
  over: Run;
  iouThreshold: number;
  value: number | null;
  low: number | null;
  high: number | null;
  pairs: number;
  paired: boolean;
  /** NOT_COMPARABLE: the two were measured by two protocols. */
  verdict: 'HIGHER' | 'LOWER' | 'UNDECIDED' | 'NOT_COMPARABLE';
  statement: string;
}

/** Each run against each earlier one, on the same pairs by one protocol; empty for a finding without boxes. */
export async function differencesOf(tasks: TaskRunner, compared: readonly ComparedRun[], finding: Finding): Promise<Difference[]> {
  if (!isBoxedFinding(finding)) return [];
  const measured = compared.filter(({ curve }) => curve !== null && curve.pairs > 0);
  const pairs = measured.flatMap((over, index) => measured.slice(index + 1).map((run) => ({ run, over, finding })));
  return Promise.all(pairs.map((pair) => differenceOf(tasks, pair)));
}

interface PairOfRuns {
  run: ComparedRun;
  over: ComparedRun;
  finding: BoxedFinding;
}

/** An evaluation never changes, and the verdicts on two runs cost a second: what was told once of all findings is kept. */
const told = new Map<string, Promise<PairedDifference[] | null>>();
const MAX_TOLD = 1000;

async function differenceOf(tasks: TaskRunner, pair: PairOfRuns): Promise<Difference> {
  const { run, over, finding } = pair;
  if (run.curve!.protocol.name !== over.curve!.protocol.name) return notComparable(pair);
  // The labels are in the sentences.
  const key = [run, over].map((one) => `${one.evaluation?.id} ${one.evaluation?.createdAt.toISOString()} ${one.run.name}`).join('\n');
  if (told.size >= MAX_TOLD) told.clear();
  const asked = told.get(key) ?? tasks.run({ kind: 'difference', iouThreshold: TRUST_IOU, where: 'The comparison', ...curvesOf(pair) });
  told.set(key, asked);
  const all = await asked.catch((error: unknown) => {
    told.delete(key);
    throw error;
  });
  if (!all) told.delete(key); // the folder may be in reach the next time
  const paired = all?.find((one) => one.finding === finding);
  return paired ? pairedDifference(pair, paired) : unpairedDifference(pair);
}

function curvesOf({ run, over }: PairOfRuns): { a: MeasuredCurves; b: MeasuredCurves } {
  return { a: measuredCurves(run, over), b: measuredCurves(over, run) };
}

function measuredCurves({ run, evaluation }: ComparedRun, other: ComparedRun): MeasuredCurves {
  return {
    label: runLabel(run, other.run),
    runPath: run.path,
    datasetHash: evaluation!.datasetHash,
    protocol: evaluation!.protocol,
    weightsSha256: evaluation!.weightsSha256,
  };
}

function pairedDifference({ run, over }: PairOfRuns, { difference, interval, pairs, verdict, statement }: PairedDifference): Difference {
  const [low, high] = interval ?? [null, null];
  const told = { value: difference, low, high, pairs, paired: true, verdict, statement };
  return { run: run.run, over: over.run, iouThreshold: TRUST_IOU, ...told };
}

/** What counts as a hit differs: a difference of such accuracies would be of the protocols as much as of the runs. */
function notComparable({ run, over, finding }: PairOfRuns): Difference {
  const by = (one: ComparedRun, other: ComparedRun): string => `${runLabel(one.run, other.run)} by protocol ${one.curve!.protocol.name}`;
  return {
    ...untold({ run, over, finding }),
    value: null,
    verdict: 'NOT_COMPARABLE',
    statement: `Not comparable for ${findingLabel(finding)}: two protocols. ${by(run, over)}, ${by(over, run)}.`,
  };
}

/** Without each pair's own result no interval of the difference is known, and none is claimed. */
function unpairedDifference({ run, over, finding }: PairOfRuns): Difference {
  const at = (compared: ComparedRun): number | null =>
    compared.curve?.points.find(({ iouThreshold }) => iouThreshold === TRUST_IOU)?.accuracy ?? null;
  const [a, b] = [at(run), at(over)];
  return {
    ...untold({ run, over, finding }),
    value: a === null || b === null ? null : a - b,
    verdict: 'UNDECIDED',
    statement: `No difference can be told for ${findingLabel(finding)}: the two runs were not scored on the same pairs.`,
  };
}

function untold({ run, over }: PairOfRuns): Omit<Difference, 'value' | 'verdict' | 'statement'> {
  const pairs = Math.min(run.curve?.pairs ?? 0, over.curve?.pairs ?? 0);
  return { run: run.run, over: over.run, iouThreshold: TRUST_IOU, low: null, high: null, pairs, paired: false };
}
