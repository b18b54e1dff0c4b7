import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError, waitForLock, writeDurableSync } from '@cxr-lens/data';
import type { z } from 'zod';
import { type Card, CardSchema, isCardOf, type Run, RunSchema } from './spec/index.ts';

/** The files of a run folder; what they hold is in `spec/run.ts`, `spec/card.ts` and `spec/evaluation.ts`. */
export interface RunFiles {
  folder: string;
  run: string;
  weights: string;
  card: string;
  checkpoints: string;
  evaluation: string;
}

export function runFiles(folder: string): RunFiles {
  const root = path.resolve(folder);
  return {
    folder: root,
    run: path.join(root, 'run.json'),
    weights: path.join(root, 'weights.safetensors'),
    card: path.join(root, 'card.json'),
    checkpoints: path.join(root, 'checkpoints'),
    evaluation: path.join(root, 'evaluation'),
  };
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * `writeDurableSync`, with a sentence where it fails: CxrError UNAVAILABLE when the disk is full or the folder cannot be written.
 */
export function writeAtomic(file: string, bytes: Uint8Array | string, options?: { syncFolder?: boolean }): void {
  try {
    writeDurableSync(file, bytes, options);
  } catch (error) {
    throw writeError(file, error);
  }
}

function writeError(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOSPC: 'the disk is full; free some space',
    EDQUOT: 'the disk quota is used up; free some space',
    EACCES: 'no permission to write there; choose another folder',
    EPERM: 'no permission to write there; choose another folder',
    EFBIG: 'the file would be larger than this system allows; choose another folder',
    EROFS: 'the file system is read-only; choose another folder',
    ENOTDIR: 'a part of its path is a file; choose another folder',
    EEXIST: 'a part of its path is a file; choose another folder',
  };
  const reason = code === undefined ? undefined : reasons[code];
  if (!reason) return error;
  return new CxrError('UNAVAILABLE', `${file} cannot be written: ${reason}. What was written before is whole.`, { cause: error });
}

export function writeRun(files: RunFiles, run: Run): void {
  writeAtomic(files.run, `${JSON.stringify(run, null, 2)}\n`);
}

/**
 * Writes card.json, with its SHA-256 into the run.json of a finished run, and returns the hash; whoever writes run.json later puts it there.
 * Killed at any point it leaves a run that loads, by the card from before or by the new one: run.json names both while the card changes.
 */
export function writeCard(files: RunFiles, card: Card): string {
  const text = `${JSON.stringify(card, null, 2)}\n`;
  const next = sha256(text);
  const before = existsSync(files.run) ? readRun(files.folder) : null;
  if (before?.state !== 'finished') {
    writeAtomic(files.card, text);
    return next;
  }
  alone(files.folder, () => {
    const run = readRun(files.folder);
    // After a kill the card that is there may be the next one of then.
    const there = sha256(readFileSync(files.card));
    writeRun(files, { ...run, cardSha256: isCardOf(run, there) ? there : run.cardSha256, nextCardSha256: next });
    writeAtomic(files.card, text);
    writeRun(files, { ...run, cardSha256: next, nextCardSha256: null });
  });
  return next;
}

/** Does `work` while no other process changes the card of the folder. */
function alone(folder: string, work: () => void): void {
  const descriptor = openSync(folder, 'r');
  try {
    waitForLock(descriptor);
    work();
  } finally {
    closeSync(descriptor);
  }
}

/** `run.json` of the folder. CxrError NOT_FOUND where there is none, CORRUPT where it is not what training writes. */
export function readRun(folder: string): Run {
  return readJson(runFiles(folder).run, RunSchema, `${folder} is no run folder: it has no run.json.`);
}

/** A card may be written between the reading of two files: looked at so often before it is said to be damaged. */
const LOOKS = 3;

/**
 * `card.json` of the folder, checked against the hash in run.json. CxrError NOT_FOUND before training has finished, CORRUPT where it was
 * changed since or is not what training writes.
 */
export function readCard(folder: string): Card {
  const { card } = runFiles(folder);
  const missing = `${folder} has no card.json: its training has not finished.`;
  for (let look = 1; ; look++) {
    const bytes = readBytes(card, () => new CxrError('NOT_FOUND', missing));
    const run = readRun(folder);
    const found = sha256(bytes);
    if (isCardOf(run, found)) return parseFile(card, bytes, CardSchema);
    if (look < LOOKS) continue;
    throw new CxrError(
      'CORRUPT',
      `${card} has SHA-256 ${found}, run.json says ${run.cardSha256}: it was changed by hand, and its thresholds decide; take it from a backup or train again.`,
    );
  }
}

/** The file's bytes. CxrError as `missing` makes it where there is none, UNAVAILABLE or CORRUPT where it cannot be read. */
export function readBytes(file: string, missing: () => CxrError): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missing();
    if (code === 'EISDIR') throw new CxrError('CORRUPT', `${file} is a folder, not a file; take the run from a backup or train again.`);
    if (code === 'EACCES' || code === 'EPERM') {
      throw new CxrError('UNAVAILABLE', `${file} cannot be read: no permission; allow this user to read it.`, { cause: error });
    }
    throw error;
  }
}

/** A JSON file that training or evaluation wrote. CxrError NOT_FOUND with the sentence `missing`, CORRUPT, UNAVAILABLE. */
export function readJson<T>(file: string, schema: z.ZodType<T>, missing: string): T {
  return parseFile(
    file,
    readBytes(file, () => new CxrError('NOT_FOUND', missing)),
    schema,
  );
}

function parseFile<T>(file: string, bytes: Buffer, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new CxrError('CORRUPT', `${file} is no JSON (${(error as Error).message}); take it from a backup or train again.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new CxrError('CORRUPT', `${file}: ${issue.path.join('.')}: ${issue.message}; take it from a backup or train again.`);
}
