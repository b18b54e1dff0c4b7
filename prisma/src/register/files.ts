import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import {
  type AucFile,
  AucFileSchema,
  type Card,
  CardSchema,
  isCardOf,
  type LocalizationFile,
  LocalizationFileSchema,
  type Run,
  RunSchema,
} from '@cxr-lens/model/spec';
import type { z } from 'zod';

/** What a run folder says, as far as it goes: a training run has neither card nor evaluations. */
export interface RunFolder {
  folder: string;
  run: Run;
  card: { value: Card; sha256: string } | null;
  evaluations: { auc: AucFile; localization: LocalizationFile }[];
}

/** Reads a run folder. CxrError NOT_FOUND where it is none, CORRUPT naming the file and the field. */
export function readRunFolder(folder: string): RunFolder {
  const root = path.resolve(folder);
  const { run, card } = readRunAndCard(root);
  const evaluations = folders(path.join(root, 'evaluation')).flatMap((evaluation) => {
    const auc = read(path.join(evaluation, 'auc.json'), AucFileSchema);
    const localization = read(path.join(evaluation, 'localization.json'), LocalizationFileSchema);
    // One file without the other: the evaluation is being written. Other weights: it is of an earlier training in this folder.
    const current = auc && localization && auc.value.weightsSha256 === run.value.weightsSha256;
    return current ? [{ auc: auc.value, localization: localization.value }] : [];
  });
  return { folder: root, run: run.value, card, evaluations };
}

/** A card may be written between the reading of the two: looked at so often before it is said to be damaged. */
const LOOKS = 3;

function readRunAndCard(root: string): { run: { value: Run }; card: RunFolder['card'] } {
  for (let look = 1; ; look++) {
    const card = read(path.join(root, 'card.json'), CardSchema);
    const run = read(path.join(root, 'run.json'), RunSchema);
    if (!run) throw new CxrError('NOT_FOUND', `${root} is no run folder: it has no run.json.`);
    // A card beside a run that is not finished is about to be replaced.
    if (!card || run.value.state !== 'finished' || isCardOf(run.value, card.sha256)) return { run, card };
    if (look === LOOKS) {
      throw new CxrError(
        'CORRUPT',
        `${root}/card.json has SHA-256 ${card.sha256}, run.json says ${run.value.cardSha256}: it was changed by hand, and its thresholds decide; take it from a backup or train again.`,
      );
    }
  }
}

function read<T>(file: string, schema: z.ZodType<T>): { value: T; sha256: string } | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
  const parsed = schema.safeParse(parseJson(file, bytes));
  if (parsed.success) return { value: parsed.data, sha256: createHash('sha256').update(bytes).digest('hex') };
  const issue = parsed.error.issues[0]!;
  throw new CxrError('CORRUPT', `${file}: ${issue.path.join('.')}: ${issue.message}; take it from a backup or make it again.`);
}

function parseJson(file: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new CxrError('CORRUPT', `${file} is no JSON (${(error as Error).message}); take it from a backup or make it again.`);
  }
}

function folders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [path.join(folder, entry.name)] : []));
  } catch {
    return [];
  }
}
