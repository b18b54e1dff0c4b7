import { CxrError, FINDINGS, type Finding, type OnProgress } from '@cxr-lens/data';
import { type AucDraws, aucDraws } from '../auc/paired-bootstrap.ts';
import type { ScoreTable, Truth } from './types.ts';
import { VERDICT_RESAMPLES, VERDICT_SEED } from './verdict.ts';

export interface Tables {
  a: ScoreTable;
  b: ScoreTable;
  truth: Truth;
}

/** The images and findings that two runs scored. */
export interface Shared {
  truth: Truth;
  /** Of the truth, in its order. */
  rows: Uint32Array;
  findings: readonly Finding[];
}

/** @throws CxrError BAD_INPUT for no shared image, an image listed twice, a column that does not fit its images */
export function align({ a, b, truth }: Tables): Shared {
  const [inA, inB] = [positions(a), positions(b)];
  const rows = [...positions(truth).entries()].flatMap(([image, row]) => (inA.has(image) && inB.has(image) ? [row] : []));
  if (rows.length === 0) throw new CxrError('BAD_INPUT', 'no test image was scored by both runs: expected runs evaluated on one data set');
  const findings = FINDINGS.filter((finding) => {
    const columns = [a.scores[finding], b.scores[finding], truth.labels[finding]];
    if (columns.some((column) => !column)) return false;
    for (const [index, { images }] of [a, b, truth].entries()) {
      const { length } = columns[index]!;
      if (length !== images.length) {
        throw new CxrError('BAD_INPUT', `${length} values of ${finding} for ${images.length} images: expected one an image`);
      }
    }
    return true;
  });
  return { truth, rows: Uint32Array.from(rows), findings };
}

/** [N], in the order of the rows. */
export function scoresOf(table: ScoreTable, { truth, rows }: Shared, finding: Finding): Float64Array {
  const [at, scores] = [positions(table), table.scores[finding]!];
  return Float64Array.from(rows, (row) => scores[at.get(truth.images[row]!)!]!);
}

/** [N], in the order of the rows. */
export function labelsOf({ truth, rows }: Shared, finding: Finding): Float64Array {
  return Float64Array.from(rows, (row) => truth.labels[finding]![row]!);
}

interface Kept extends Shared {
  draws: AucDraws;
}

const kept = new WeakMap<ScoreTable, Kept[]>();

interface DrawsOptions {
  /** Whose scores they are. */
  label: string;
  onProgress: OnProgress | undefined;
}

/** A run's AUC draws on these images. They are kept while its scores are: a report compares one run with many on the same images. */
export function keptDraws(table: ScoreTable, shared: Shared, { label, onProgress }: DrawsOptions): AucDraws {
  const all = kept.get(table) ?? [];
  const known = all.find((one) => isSame(one, shared));
  if (known) return known.draws;
  const { truth, rows, findings } = shared;
  const draws = aucDraws({
    scores: findings.map((finding) => scoresOf(table, shared, finding)),
    labels: findings.map((finding) => labelsOf(shared, finding)),
    clusters: Array.from(rows, (row) => truth.patientIds[row]!),
    resamples: VERDICT_RESAMPLES,
    seed: `auc verdict/${VERDICT_SEED}`,
    onProgress: (done) => onProgress?.({ what: `Resampling the AUCs of ${label}`, done, total: VERDICT_RESAMPLES }),
  });
  kept.set(table, [...all, { ...shared, draws }]);
  return draws;
}

function isSame(a: Shared, b: Shared): boolean {
  if (a.truth !== b.truth || a.rows.length !== b.rows.length || a.findings.join() !== b.findings.join()) return false;
  return a.rows.every((row, index) => row === b.rows[index]);
}

/** Where each image stands. */
function positions({ images }: { images: readonly string[] }): Map<string, number> {
  const found = new Map(images.map((image, index) => [image, index]));
  if (found.size !== images.length) throw new CxrError('BAD_INPUT', 'an image is listed twice: expected every image once');
  return found;
}
