import { type BoxedFinding, type Finding, findingLabel, isBoxedFinding } from '@cxr-lens/data';
import type { Run } from '@cxr-lens/prisma';
import { TRUST_IOU } from '../evidence.ts';
import type { Threads } from '../threads/threads.ts';
import type { ComparedRun } from './compare.ts';
import type { MeasuredCurve, PairedDifference } from './paired.ts';
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
  verdict: 'HIGHER' | 'LOWER' | 'UNDECIDED';
  statement: string;
}

const VERDICTS = { higher: 'HIGHER', lower: 'LOWER', 'cannot be told': 'UNDECIDED' } as const;

/** Each run against each earlier one at T(IoU) = 0.3, on the same pairs; empty for a finding without boxes. */
export async function differencesOf(threads: Threads, compared: readonly ComparedRun[], finding: Finding): Promise<Difference[]> {
  if (!isBoxedFinding(finding)) return [];
  const measured = compared.filter(({ curve }) => curve !== null && curve.pairs > 0);
  const pairs = measured.flatMap((over, index) => measured.slice(index + 1).map((run) => ({ run, over, finding })));
  return Promise.all(pairs.map((pair) => differenceOf(threads, pair)));
}

interface PairOfRuns {
  run: ComparedRun;
  over: ComparedRun;
  finding: BoxedFinding;
}

/** An evaluation never changes, and a bootstrap costs some 10 ms: what was told once is kept. */
const told = new Map<string, Promise<PairedDifference | null>>();
const MAX_TOLD = 5000;

async function differenceOf(threads: Threads, pair: PairOfRuns): Promise<Difference> {
  const { run, over, finding } = pair;
  const key = [run, over].map(({ evaluation }) => `${evaluation?.id} ${evaluation?.createdAt.toISOString()}`).join(' ') + finding;
  if (told.size >= MAX_TOLD) told.clear();
  const asked =
    told.get(key) ?? threads.run({ kind: 'difference', finding, iouThreshold: TRUST_IOU, where: 'The comparison', ...curvesOf(pair) });
  told.set(key, asked);
  const paired = await asked.catch((error: unknown) => {
    told.delete(key);
    throw error;
  });
  if (paired) return pairedDifference(pair, paired);
  told.delete(key); // the folder may be in reach the next time
  return unpairedDifference(pair);
}

function curvesOf({ run, over }: PairOfRuns): { a: MeasuredCurve; b: MeasuredCurve } {
  return { a: measuredCurve(run, over), b: measuredCurve(over, run) };
}

function measuredCurve({ run, evaluation, curve }: ComparedRun, other: ComparedRun): MeasuredCurve {
  return {
    label: runLabel(run, other.run),
    runPath: run.path,
    datasetHash: evaluation!.datasetHash,
    protocol: evaluation!.protocol,
    weightsSha256: evaluation!.weightsSha256,
    pairs: curve!.pairs,
  };
}

function pairedDifference({ run, over }: PairOfRuns, { difference, interval, pairs, verdict, statement }: PairedDifference): Difference {
  const [low, high] = interval ?? [null, null];
  const told = { value: difference, low, high, pairs, paired: true, verdict: VERDICTS[verdict], statement };
  return { run: run.run, over: over.run, iouThreshold: TRUST_IOU, ...told };
}

/** Without each pair's own result no interval of the difference is known, and none is claimed. */
function unpairedDifference({ run, over, finding }: PairOfRuns): Difference {
  const at = (compared: ComparedRun): number | null =>
    compared.curve?.points.find(({ iouThreshold }) => iouThreshold === TRUST_IOU)?.accuracy ?? null;
  const [a, b] = [at(run), at(over)];
  return {
    run: run.run,
    over: over.run,
    iouThreshold: TRUST_IOU,
    value: a === null || b === null ? null : a - b,
    low: null,
    high: null,
    pairs: Math.min(run.curve?.pairs ?? 0, over.curve?.pairs ?? 0),
    paired: false,
    verdict: 'UNDECIDED',
    statement: `No difference can be told for ${findingLabel(finding)}: the two runs were not scored on the same pairs.`,
  };
}
