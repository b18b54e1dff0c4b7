import { existsSync } from 'node:fs';
import path from 'node:path';
import { CxrError, type OnProgress, openPrepared, type PreparedData } from '@cxr-lens/data';
import { type ComparisonReportInput, compareRuns, type RunComparison, VERDICT_RESAMPLES, VERDICT_SEED } from '@cxr-lens/eval';
import { readRun } from '@cxr-lens/model/run-folder';
import type { Run } from '@cxr-lens/model/spec';
import { type Challenger, type Compare, challengersOf, firstAlone, iousOf, missingIous } from './challengers.ts';
import { type StoredEvaluation, scoresOf, storedEvaluations, truthOf } from './stored.ts';

interface CompareRequest {
  /** Run folders, two at least; the first is what the others are compared with. */
  runs: readonly string[];
  /** The prepared file that they were evaluated on, for the labels that AUCs need; or the name of that evaluation, then localisation alone. */
  data?: string | undefined;
  onProgress?: OnProgress | undefined;
}

/** What was compared, as `renderComparison` prints it. */
interface Compared extends ComparisonReportInput {
  /** Of the bootstraps. */
  seed: number;
  resamples: number;
  /** The main ones of the runs, with commas. */
  protocol: string;
}

/**
 * Every further run beside the first, from what their evaluations hold; no network is loaded. CxrError NOT_FOUND (no run, no evaluation),
 * BAD_INPUT (one run, evaluations that cannot be compared: of other data, or of weights that the run no longer has), CORRUPT.
 */
export async function compareStored({ runs: folders, data, onProgress }: CompareRequest): Promise<Compared> {
  if (folders.length < 2) throw new CxrError('BAD_INPUT', `${folders[0] ?? 'Nothing'} alone: expected two run folders or more to compare.`);
  const twice = folders.find((folder, index) => folders.findIndex((other) => path.resolve(other) === path.resolve(folder)) < index);
  if (twice) throw new CxrError('BAD_INPUT', `${twice} is named twice; name every run once.`);
  const runs = folders.map((folder) => {
    const run = readRun(folder);
    return { folder, run, evaluations: storedEvaluations(folder, run) };
  });
  const prepared = data !== undefined && (existsSync(data) || /[\\/]|\.cxr$/.test(data)) ? await openPrepared(data) : null;
  try {
    const wanted = prepared ? { hash: prepared.datasetHash, name: data! } : data === undefined ? {} : { name: data };
    const compared = chosen(runs, wanted);
    checkComparable(compared);
    return await compareAll(compared, prepared, onProgress);
  } finally {
    prepared?.close();
  }
}

/** The evaluation of each run that was asked for, or the only one that all of them have. */
function chosen(
  runs: readonly { folder: string; run: Run; evaluations: StoredEvaluation[] }[],
  { hash, name }: { hash?: string; name?: string },
): Compare[] {
  const all = runs.map(({ folder }) => folder).join(' ');
  const unevaluated = runs.find(({ evaluations }) => evaluations.length === 0);
  if (unevaluated) {
    throw new CxrError('NOT_FOUND', `${unevaluated.folder} has no finished evaluation. Run cxr-lens evaluate ${all} --data FILE first.`);
  }
  const hashes = runs.map(({ evaluations }) => evaluations.map(({ auc }) => auc.data.datasetHash));
  const shared = [...new Set(hashes[0])].filter((one) => hashes.every((own) => own.includes(one)));
  if (name === undefined && shared.length > 1) {
    const names = runs[0]!.evaluations.filter(({ auc }) => shared.includes(auc.data.datasetHash)).map((one) => one.name);
    throw new CxrError('BAD_INPUT', `The runs share the evaluations ${names.join(', ')}; choose one with --data.`);
  }
  return runs.map(({ folder, run, evaluations }) => {
    const fits = ({ auc, name: own }: StoredEvaluation): boolean =>
      hash !== undefined ? auc.data.datasetHash === hash : name !== undefined ? own === name : shared.includes(auc.data.datasetHash);
    const evaluation = evaluations.find(fits);
    if (evaluation) return { folder, run, evaluation };
    const known = evaluations.map((one) => one.name).join(', ');
    if (name !== undefined) {
      const remedy = `Run cxr-lens evaluate ${all} --data FILE, or name another.`;
      throw new CxrError('NOT_FOUND', `${folder} was not evaluated on ${name}; its evaluations: ${known}. ${remedy}`);
    }
    const each = runs.map((one) => `${one.folder} on ${one.evaluations.map((own) => dataText(own)).join(', ')}`).join('; ');
    throw new CxrError('BAD_INPUT', `The runs were evaluated on different data: ${each}. Run cxr-lens evaluate ${all} --data FILE first.`);
  });
}

function dataText({ name, auc }: StoredEvaluation): string {
  return `${name} (${auc.data.datasetHash.slice(0, 8)})`;
}

function checkComparable(compared: readonly Compare[]): void {
  const [first, ...others] = compared as [Compare, ...Compare[]];
  const again = `Run cxr-lens evaluate ${compared.map(({ folder }) => folder).join(' ')} --data FILE again`;
  for (const { folder, run, evaluation } of compared) {
    if (evaluation.auc.weightsSha256 === run.weightsSha256) continue;
    throw new CxrError('BAD_INPUT', `${folder} was trained again after its evaluation ${evaluation.name}. ${again}.`);
  }
  for (const { folder, evaluation } of others) {
    const [a, b] = [first.evaluation, evaluation];
    if (a.auc.data.datasetHash !== b.auc.data.datasetHash) {
      throw new CxrError(
        'BAD_INPUT',
        `${first.folder} was evaluated on ${dataText(a)}, ${folder} on ${dataText(b)}: other data. ${again}.`,
      );
    }
  }
}

async function compareAll(compared: readonly Compare[], prepared: PreparedData | null, onProgress?: OnProgress): Promise<Compared> {
  const truth = prepared && truthOf(prepared);
  const tables = compared.map((one) => iousOf(one, prepared));
  const without = compared.filter((_, index) => tables[index] === null);
  const scores = truth ? await Promise.all(compared.map(({ evaluation }) => scoresOf(evaluation))) : null;
  const challengers = challengersOf(compared, { tables, scores });
  if (challengers.length < 2) {
    throw new CxrError('BAD_INPUT', `The runs are one challenger, ${challengers[0]!.label}; name a run to compare it with.`);
  }
  const [b, ...others] = challengers as [Challenger, ...Challenger[]];
  const comparisons = others.map((a): RunComparison => compareRuns({ a, b, truth, onProgress }));
  const protocols = new Map(tables.flatMap((table) => (table ? [[table.protocol.name, table.protocol.description] as const] : [])));
  const aucs = compared.map(({ evaluation }) => evaluation.auc);
  const { data } = aucs[0]!;
  return {
    dataSet: { ...data, images: Math.max(...aucs.map(({ images }) => images)) },
    seed: VERDICT_SEED,
    protocol: [...protocols.keys()].join(', '),
    resamples: VERDICT_RESAMPLES,
    details: {
      'data hash': data.datasetHash,
      runs: challengers.map(({ label, runs }) => `${label} (${runs.map(({ folder }) => folder).join(', ')})`).join(', '),
      ...Object.fromEntries([...protocols].map(([name, description]) => [`protocol ${name}`, description])),
    },
    comparisons,
    missing: [
      ...without.map((one) => missingIous(one, prepared)),
      ...(truth ? [] : ['AUCs are not compared: their labels are in the prepared file. Name it with --data FILE.']),
      ...(truth ? challengers.flatMap(firstAlone) : []),
    ],
  };
}
