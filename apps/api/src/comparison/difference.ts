import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type BoxedFinding, type Finding, findingLabel, isBoxedFinding } from '@cxr-lens/data';
import { type LocalizationCurve, type LocalizationDifference, localizationDifference, statement } from '@cxr-lens/eval';
import { type Curve as FileCurve, type LocalizationFile, LocalizationFileSchema } from '@cxr-lens/model/spec';
import type { Run } from '@cxr-lens/prisma';
import { TRUST_IOU } from '../evidence.ts';
import type { ComparedRun } from './compare.ts';
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
export async function differencesOf(compared: readonly ComparedRun[], finding: Finding): Promise<Difference[]> {
  if (!isBoxedFinding(finding)) return [];
  const measured = compared.filter(({ curve }) => curve !== null && curve.pairs > 0);
  const pairs = measured.flatMap((over, index) => measured.slice(index + 1).map((run) => ({ run, over })));
  return Promise.all(pairs.map(({ run, over }) => differenceOf({ run, over, finding })));
}

interface PairOfRuns {
  run: ComparedRun;
  over: ComparedRun;
  finding: BoxedFinding;
}

/** Bootstraps cost milliseconds and evaluations never change: what was told once is kept. */
const told = new Map<string, Difference>();
const MAX_TOLD = 5000;

async function differenceOf(pair: PairOfRuns): Promise<Difference> {
  const { run, over, finding } = pair;
  const key = [run, over].map(({ evaluation }) => `${evaluation?.id} ${evaluation?.createdAt.toISOString()}`).join(' ') + finding;
  const kept = told.get(key);
  if (kept) return { ...kept, run: run.run, over: over.run };
  const [a, b] = await Promise.all([scoredCurve(run, finding), scoredCurve(over, finding)]);
  const difference = a && b ? pairedDifference(pair, a, b) : null;
  if (!difference) return unpairedDifference(pair);
  if (told.size >= MAX_TOLD) told.clear();
  told.set(key, difference);
  return difference;
}

function pairedDifference({ run, over, finding }: PairOfRuns, a: LocalizationCurve, b: LocalizationCurve): Difference | null {
  const options = { iouThreshold: TRUST_IOU };
  const difference = tryDifference(a, b, options);
  if (!difference) return null;
  const [low, high] = difference.interval ?? [null, null];
  return {
    run: run.run,
    over: over.run,
    iouThreshold: TRUST_IOU,
    value: difference.difference,
    low,
    high,
    pairs: difference.pairs,
    paired: true,
    verdict: VERDICTS[difference.verdict],
    statement: statement({
      finding,
      a: { label: runLabel(run.run, over.run), curve: a },
      b: { label: runLabel(over.run, run.run), curve: b },
      ...options,
    }),
  };
}

/** null for curves that were not measured on the same pairs in the same folds, as with another seed. */
function tryDifference(a: LocalizationCurve, b: LocalizationCurve, options: { iouThreshold: number }): LocalizationDifference | null {
  try {
    return localizationDifference(a, b, options);
  } catch {
    return null;
  }
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

/** The curve with each pair's IoU in every fold: rows do not hold these, the run folder does. null where the folder is not in reach. */
async function scoredCurve({ run, evaluation, curve }: ComparedRun, finding: BoxedFinding): Promise<LocalizationCurve | null> {
  const file = evaluation && (await localizationFile(run.path, evaluation.datasetHash, evaluation.protocol));
  const scored: FileCurve | undefined = file?.run.findings[finding];
  // A folder that was evaluated anew and not registered yet does not belong to the row's curve.
  if (!scored || scored.pairs !== curve?.pairs) return null;
  return scored;
}

async function localizationFile(runPath: string, datasetHash: string, protocol: string): Promise<LocalizationFile | null> {
  const folder = path.join(runPath, 'evaluation');
  for (const name of await readdir(folder).catch(() => [])) {
    const text = await readFile(path.join(folder, name, 'localization.json'), 'utf8').catch(() => null);
    const file = text === null ? null : LocalizationFileSchema.safeParse(JSON.parse(text)).data;
    if (file?.data.datasetHash === datasetHash && file.run.protocol.name === protocol) return file;
  }
  return null;
}
