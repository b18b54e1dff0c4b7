import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { CxrError, FINDINGS, type Finding, type PreparedData } from '@cxr-lens/data';
import type { ScoreTable, Truth } from '@cxr-lens/eval';
import { readJson, runFiles } from '@cxr-lens/model/run-folder';
import { type AucFile, AucFileSchema, type LocalizationFile, LocalizationFileSchema, type Run } from '@cxr-lens/model/spec';
import { readScores } from '../metrics/scores.ts';

/** A finished evaluation as its folder holds it. */
export interface StoredEvaluation {
  /** Of its folder: that of the prepared file. */
  name: string;
  folder: string;
  /** Path of scores.csv. */
  scores: string;
  auc: AucFile;
  localization: LocalizationFile;
}

/** The finished evaluations of a run, those of its present weights first, the newest first of each. CxrError CORRUPT, UNAVAILABLE. */
export function storedEvaluations(folder: string, { weightsSha256 }: Pick<Run, 'weightsSha256'>): StoredEvaluation[] {
  const root = runFiles(folder).evaluation;
  if (!existsSync(root)) return [];
  const rank = ({ auc }: StoredEvaluation): number => (auc.weightsSha256 === weightsSha256 ? 0 : 1);
  const fileOf = (name: string, file: string): string => path.join(root, name, file);
  return readdirSync(root)
    .filter((name) => ['auc.json', 'localization.json'].every((file) => existsSync(fileOf(name, file))))
    .map((name) => ({
      name,
      folder: path.join(root, name),
      scores: fileOf(name, 'scores.csv'),
      auc: readJson(fileOf(name, 'auc.json'), AucFileSchema, `${fileOf(name, 'auc.json')} is missing.`),
      localization: readJson(fileOf(name, 'localization.json'), LocalizationFileSchema, `${fileOf(name, 'localization.json')} is missing.`),
    }))
    .sort((a, b) => rank(a) - rank(b) || b.auc.createdAt.localeCompare(a.auc.createdAt) || a.name.localeCompare(b.name));
}

/** The logits of scores.csv. CxrError of `readScores`, and CORRUPT where a finding's column is missing. */
export async function scoresOf({ scores: file }: StoredEvaluation): Promise<ScoreTable> {
  const { images, columns } = await readScores(file);
  const scores = byFinding((finding) => {
    const column = columns.find((one) => one.finding === finding);
    if (column) return column.scores;
    throw new CxrError('CORRUPT', `${file} has no column ${finding}; evaluate the run again.`);
  });
  return { images: images.names, scores };
}

/** Labels and patients of the test images. */
export function truthOf(data: PreparedData): Truth {
  const rows = data.rows('test');
  return {
    images: rows.map((row) => data.images[row]!.name),
    patientIds: rows.map((row) => data.images[row]!.patientId),
    labels: byFinding((_, index) => Uint8Array.from(rows, (row) => data.labels[row * FINDINGS.length + index]!)),
  };
}

function byFinding<T>(make: (finding: Finding, index: number) => T): Record<Finding, T> {
  return Object.fromEntries(FINDINGS.map((finding, index) => [finding, make(finding, index)])) as Record<Finding, T>;
}
