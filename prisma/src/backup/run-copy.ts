import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CxrError } from '@cxr-lens/data';

export interface CopiedFile {
  /** Relative to the folder. */
  path: string;
  sha256: string;
}

/** A training writes a checkpoint every half minute, a copy takes a second: this many disturbed copies mean that something else writes there. */
const ATTEMPTS = 5;

/**
 * Copies a run folder as it stood at one moment, while a training may write to it: copied again when a file changed meanwhile.
 * CxrError UNAVAILABLE when it never stood still.
 */
export async function copyRunFolder(from: string, to: string): Promise<CopiedFile[]> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    rmSync(to, { recursive: true, force: true });
    const before = listing(from);
    const copied = await copyAll(from, to, [...before.keys()]);
    if (copied && sameListing(before, listing(from))) return copied;
  }
  throw new CxrError('UNAVAILABLE', `${from} changed during each of ${ATTEMPTS} copies. Run the backup again when its job is further on.`);
}

/** Size, time of change and inode by relative path; files under a temporary name are on their way to another. */
function listing(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith('.tmp'),
  );
  const files = new Map<string, string>();
  for (const entry of entries) {
    const full = path.join(entry.parentPath, entry.name);
    const stat = statSync(full, { throwIfNoEntry: false });
    if (stat) files.set(path.relative(folder, full), `${stat.size} ${stat.mtimeMs} ${stat.ino}`);
  }
  return files;
}

const sameListing = (a: Map<string, string>, b: Map<string, string>): boolean =>
  a.size === b.size && [...a].every(([name, state]) => b.get(name) === state);

/** Null when a file was gone before it was copied. */
async function copyAll(from: string, to: string, names: readonly string[]): Promise<CopiedFile[] | null> {
  const copied: CopiedFile[] = [];
  for (const name of [...names].sort()) {
    try {
      copied.push({ path: name, sha256: await copyFile(path.join(from, name), path.join(to, name)) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
  return copied;
}

/** Copies one file, flushed to disk, and returns its SHA-256. */
export async function copyFile(from: string, to: string): Promise<string> {
  mkdirSync(path.dirname(to), { recursive: true, mode: 0o700 });
  const hash = createHash('sha256');
  await pipeline(
    createReadStream(from),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(to, { mode: 0o600, flush: true }),
  );
  return hash.digest('hex');
}
