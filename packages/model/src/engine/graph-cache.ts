import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheHome, installedEngine } from './cache.ts';

// A graph is about a megabyte; a machine uses a few.
const KEPT = 100;

const folderOf = (): string => path.join(cacheHome(), 'graphs');
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

let sources: string | undefined;

/** Of the code that graphs are recorded from, and of the engine: what is recorded by another is another graph. */
function codeHash(): string {
  const root = path.join(import.meta.dirname, '..');
  const files = (): string[] => readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /(?<!\.test)\.ts$/.test(name));
  sources ??= sha256(
    files()
      .sort()
      .map((name) => sha256(readFileSync(path.join(root, name))))
      .join(),
  );
  return `${sources}/${path.basename(installedEngine().folder)}`;
}

/** The folder of the graphs that `key` says all about, whether or not it is there yet. */
export function graphFolder(key: unknown): string {
  return path.join(folderOf(), sha256(JSON.stringify([codeHash(), key])).slice(0, 24));
}

/** Whether the folder holds what `keepGraphs` wrote; a damaged one is removed. */
export function hasGraphs(folder: string): boolean {
  const file = path.join(folder, 'saved_model.pb');
  if (!existsSync(file)) return false;
  const intact = existsSync(`${file}.sha256`) && readFileSync(`${file}.sha256`, 'utf8') === sha256(readFileSync(file));
  if (intact) utimesSync(folder, new Date(), new Date());
  else rmSync(folder, { recursive: true, force: true });
  return intact;
}

/**
 * Writes the graphs so that they appear whole or not at all, and removes those that were not used for the longest time. A cache that
 * cannot be written costs time, no training.
 */
export function keepGraphs(folder: string, bytes: Uint8Array): void {
  const temporary = `${folder}.${process.pid}.tmp`;
  try {
    mkdirSync(temporary, { recursive: true });
    writeFileSync(path.join(temporary, 'saved_model.pb'), bytes);
    writeFileSync(path.join(temporary, 'saved_model.pb.sha256'), sha256(bytes));
    // Of another process that was faster there are the same bytes.
    if (!hasGraphs(folder)) renameSync(temporary, folder);
    removeOldest();
  } catch {
    // the next training makes them anew
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function removeOldest(): void {
  const all = readdirSync(folderOf()).map((name) => path.join(folderOf(), name));
  const byAge = all
    .map((name) => ({ name, used: statSync(name, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.used - a.used);
  for (const { name } of byAge.slice(KEPT)) rmSync(name, { recursive: true, force: true });
}
