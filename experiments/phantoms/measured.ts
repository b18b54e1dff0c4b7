import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type AucFile, AucFileSchema, type LocalizationFile, LocalizationFileSchema } from '@cxr-lens/model/spec';

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** What an evaluation folder holds. */
export function readEvaluation(folder: string): { auc: AucFile; localization: LocalizationFile } {
  const read = (file: string): unknown => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  return { auc: AucFileSchema.parse(read('auc.json')), localization: LocalizationFileSchema.parse(read('localization.json')) };
}

/** Localisation accuracy at T(IoU) = 0.1, mean over the boxed findings that have a curve. */
export function located({ findings }: LocalizationFile['run']): number {
  return mean(Object.values(findings).flatMap(({ points }) => points[0]?.accuracy ?? []));
}
