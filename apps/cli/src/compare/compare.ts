import { existsSync } from 'node:fs';
import path from 'node:path';
import { CxrError, openPrepared } from '@cxr-lens/data';
import { type ComparisonReportInput, compareRuns, type LocalizationResult, type RunComparison, type Truth } from '@cxr-lens/eval';
import { readRun } from '@cxr-lens/model/run-folder';
import { labelOf, type Run, variantOf } from '@cxr-lens/model/spec';
import { type StoredEvaluation, scoresOf, storedEvaluations, truthOf } from './stored.ts';

interface CompareRequest {
  /** Run folders, two at least; the first is what the others are compared with. */
  runs: readonly string[];
  /** The prepared file that they were evaluated on, for the labels that AUCs need; or the name of that evaluation, then curves alone. */
  data?: string | undefined;
}

/** What was compared, as `renderComparison` prints it; curves by one protocol that all runs have. */
interface Compared extends ComparisonReportInput {
  seed: number;
  protocol: string;
}

interface Compare {
  folder: string;
  run: Run;
  evaluation: StoredEvaluation;
}

/**
 * Every further run beside the first, from what their evaluations hold; no network is loaded. CxrError NOT_FOUND (no run, no evaluation),
 * BAD_INPUT (one run, evaluations that cannot be compared: of other data, seeds, protocols, or of weights that the run no longer has),
 * CORRUPT.
 */
export async function compareStored({ runs: folders, data }: CompareRequest): Promise<Compared> {
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
    return await compareAll(compared, prepared && truthOf(prepared));
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
    if (a.auc.seed !== b.auc.seed) {
      const seeds = `${first.folder} was evaluated with seed ${a.auc.seed} of the folds, ${folder} with seed ${b.auc.seed}`;
      throw new CxrError('BAD_INPUT', `${seeds}. ${again} with one --seed.`);
    }
  }
}

/** The curves by the first protocol that all runs were measured by. CxrError BAD_INPUT where there is none. */
function commonCurves(compared: readonly Compare[]): { protocol: string; curves: LocalizationResult[] } {
  const results = compared.map(({ evaluation: { localization } }) => [localization.run, ...localization.others.map(({ run }) => run)]);
  const names = results.map((own) => own.map(({ protocol }) => protocol.name));
  const protocol = names[0]!.find((name) => names.every((own) => own.includes(name)));
  if (protocol !== undefined) return { protocol, curves: results.map((own) => own.find((one) => one.protocol.name === protocol)!) };
  const each = compared.map(({ folder }, index) => `${folder} by ${names[index]!.join(', ')}`).join('; ');
  throw new CxrError(
    'BAD_INPUT',
    `The runs were measured by different protocols: ${each}. A report of cxr-lens evaluate shows each apart.`,
  );
}

async function compareAll(compared: readonly Compare[], truth: Truth | null): Promise<Compared> {
  const { protocol, curves } = commonCurves(compared);
  const aucs = compared.map(({ evaluation }) => evaluation.auc);
  const { data, seed } = aucs[0]!;
  const resamples = Math.max(...aucs.map((one) => one.resamples));
  const scores = truth ? await Promise.all(compared.map(({ evaluation }) => scoresOf(evaluation))) : null;
  const runs = compared.map(({ run }) => run);
  const sides = runs.map((run, index) => ({
    label: labelOf(run, runs),
    method: variantOf(run, runs) === null ? run.method : null,
    localization: curves[index]!,
    scores: scores?.[index] ?? null,
  }));
  const [b, ...others] = sides;
  return {
    dataSet: { ...data, images: Math.max(...aucs.map(({ images }) => images)) },
    seed,
    protocol,
    resamples,
    details: {
      'data hash': data.datasetHash,
      runs: compared.map(({ folder }, index) => `${sides[index]!.label} (${folder})`).join(', '),
      seed: String(seed),
      protocol: `${protocol}: ${curves[0]!.protocol.description}`,
    },
    comparisons: others.map((a): RunComparison => compareRuns({ a, b: b!, truth, seed, resamples })),
    missing: truth ? [] : ['AUCs are not compared: their labels are in the prepared file. Name it with --data FILE.'],
  };
}
