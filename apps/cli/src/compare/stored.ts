import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { CxrError, columnOf, FINDINGS, type Finding, type PreparedData, readTable } from '@cxr-lens/data';
import type { ScoreTable, Truth } from '@cxr-lens/eval';
import { readJson, runFiles } from '@cxr-lens/model/run-folder';
import { type AucFile, AucFileSchema, type LocalizationFile, LocalizationFileSchema } from '@cxr-lens/model/spec';

/** A finished evaluation as its folder holds it. */
export interface StoredEvaluation {
  /** Of its folder: that of the prepared file. */
  name: string;
  /** Path of scores.csv. */
  scores: string;
  auc: AucFile;
  localization: LocalizationFile;
}

/** The finished evaluations of a run, by name. CxrError CORRUPT, UNAVAILABLE. */
export function storedEvaluations(run: string): StoredEvaluation[] {
  const root = runFiles(run).evaluation;
  if (!existsSync(root)) return [];
  const fileOf = (name: string, file: string): string => path.join(root, name, file);
  return readdirSync(root)
    .sort()
    .filter((name) => ['auc.json', 'localization.json'].every((file) => existsSync(fileOf(name, file))))
    .map((name) => ({
      name,
      scores: fileOf(name, 'scores.csv'),
      auc: readJson(fileOf(name, 'auc.json'), AucFileSchema, `${fileOf(name, 'auc.json')} is missing.`),
      localization: readJson(fileOf(name, 'localization.json'), LocalizationFileSchema, `${fileOf(name, 'localization.json')} is missing.`),
    }));
}

/** The logits of scores.csv. CxrError CORRUPT for what is no number, NOT_FOUND. */
export async function readScores({ scores: file }: StoredEvaluation): Promise<ScoreTable> {
  const table = await readTable(file);
  const image = columnOf(table, 'Image Index');
  const scores = byFinding((finding) => {
    const column = columnOf(table, finding);
    return Float64Array.from(table.rows, (row) => {
      const value = Number(row[column]?.trim() || Number.NaN);
      if (Number.isFinite(value)) return value;
      throw new CxrError('CORRUPT', `${file}: ${row[image]} has no score for ${finding}; evaluate the run again.`);
    });
  });
  return { images: table.rows.map((row) => row[image]!), scores };
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
