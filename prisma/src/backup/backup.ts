import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError, cxrHome, type OnProgress, objectFile, throwIfCancelled } from '@cxr-lens/data';
import pg from 'pg';
import { directUrl } from '../client.ts';
import { tryLock } from '../embedded/lock.ts';
import { connect } from '../migrate.ts';
import { OBJECTS_LOCK } from '../objects/lock.ts';
import { OBJECT_KEYS } from '../objects/unused.ts';
import { backupFiles, type Manifest, writeManifest } from './manifest.ts';
import { copyFile, copyRunFolder } from './run-copy.ts';
import { dumpTables } from './tables.ts';

export interface BackupRequest {
  url: string;
  /** New, empty, or what an interrupted backup left. */
  folder: string;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

export interface BackupResult {
  folder: string;
  rows: number;
  objects: number;
  runs: number;
  /** Objects and run folders that rows name and that are missing or damaged: the backup lacks them. */
  problems: string[];
}

/** Present until the backup is whole, so that an interrupted one is known and continued. */
const UNFINISHED = 'backup.unfinished';

/**
 * Copies database, objects and run folders as they stand at one moment, while everything runs. Rows and objects are of one snapshot; a
 * run folder may be newer than its rows, which `restore` rebuilds from it. Data sets are not copied.
 * CxrError CONFLICT for a folder that holds anything else, or while another backup of this home runs; UNAVAILABLE, CANCELLED.
 */
export async function backup({ url, folder, onProgress, signal }: BackupRequest): Promise<BackupResult> {
  const to = path.resolve(folder);
  const lock = tryLock(path.join(cxrHome(), 'backup.lock'));
  if (!lock) throw new CxrError('CONFLICT', `Another backup of ${cxrHome()} is running. Wait until it is done.`);
  const staged = path.join(cxrHome(), `.backup-${randomUUID()}`);
  try {
    removeStaged();
    openFolder(to);
    const snapshot = await takeSnapshot(directUrl(url), { to, staged, onProgress, signal });
    const problems = [...snapshot.missing.map((key) => `object ${key} is missing`)];
    const objects = await copyObjects({ staged, to, keys: snapshot.staged, problems, onProgress, signal });
    const runs = await copyRuns({ to, runs: snapshot.runs, problems, onProgress, signal });
    const { migrations, tables } = snapshot;
    writeManifest(to, { format: 1, createdAt: new Date().toISOString(), migrations, tables, files: { objects, runs } });
    rmSync(path.join(to, UNFINISHED));
    return { folder: to, rows: tables.reduce((sum, { rows }) => sum + rows, 0), objects, runs: runs.length, problems };
  } finally {
    rmSync(staged, { recursive: true, force: true });
    lock.release();
  }
}

/** The database alone, as it is kept before a migration. */
export async function backupDatabase(client: pg.Client, folder: string): Promise<void> {
  openFolder(folder);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const migrations = await appliedIn(client);
  const tables = await dumpTables(client, backupFiles(folder).table);
  await client.query('COMMIT');
  writeManifest(folder, { format: 1, createdAt: new Date().toISOString(), migrations, tables, files: null });
  rmSync(path.join(folder, UNFINISHED));
}

/** Removes what killed backups left behind. To be called under the lock. */
function removeStaged(): void {
  for (const name of readdirSync(cxrHome())) {
    if (name.startsWith('.backup-')) rmSync(path.join(cxrHome(), name), { recursive: true, force: true });
  }
}

function openFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0 && !existsSync(path.join(folder, UNFINISHED))) {
    throw new CxrError('CONFLICT', `${folder} is not empty. Name a new folder, so that no earlier backup is overwritten.`);
  }
  writeFileSync(path.join(folder, UNFINISHED), '', { mode: 0o600 });
}

interface RunRow {
  id: string;
  path: string;
  state: string;
}

interface Snapshot extends Pick<Manifest, 'migrations' | 'tables'> {
  runs: RunRow[];
  staged: string[];
  missing: string[];
}

interface Work extends Pick<BackupRequest, 'onProgress' | 'signal'> {
  to: string;
}

/** Dumps the tables and gives every object of theirs a second name: what is deleted from now on stays until it is copied. */
async function takeSnapshot(url: string, { to, staged, onProgress, signal }: Work & { staged: string }): Promise<Snapshot> {
  const keeper = new pg.Client({ connectionString: url });
  const client = new pg.Client({ connectionString: url });
  await connect(keeper);
  try {
    await connect(client);
    // While it is held no object is deleted. Taken before the snapshot: what the snapshot names is then still there.
    await keeper.query('SELECT pg_advisory_lock_shared($1)', [OBJECTS_LOCK]);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const keys = (await client.query<{ key: string }>(OBJECT_KEYS)).rows.map(({ key }) => key);
    const there = stage(keys, staged, signal);
    await keeper.end();
    onProgress?.({ what: 'Copying the database', done: 0, total: 1 });
    const runs = (await client.query<RunRow>('SELECT id, path, state FROM "Run" ORDER BY id')).rows;
    const migrations = await appliedIn(client);
    const tables = await dumpTables(client, backupFiles(to).table);
    onProgress?.({ what: 'Copying the database', done: 1, total: 1 });
    return { migrations, tables, runs, staged: there.staged, missing: there.missing };
  } finally {
    await keeper.end();
    await client.end();
  }
}

async function appliedIn(client: pg.Client): Promise<Manifest['migrations']> {
  const sql = `SELECT migration_name AS name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1`;
  return (await client.query<{ name: string; checksum: string }>(sql)).rows;
}

function stage(keys: readonly string[], staged: string, signal: AbortSignal | undefined): { staged: string[]; missing: string[] } {
  mkdirSync(staged, { recursive: true, mode: 0o700 });
  const missing: string[] = [];
  for (const key of keys) {
    throwIfCancelled(signal, 'The backup');
    try {
      linkSync(objectFile(key), path.join(staged, key));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') missing.push(key);
      // A file system without links.
      else if (['EPERM', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) copyFileSync(objectFile(key), path.join(staged, key));
      else throw error;
    }
  }
  return { staged: keys.filter((key) => !missing.includes(key)), missing };
}

async function copyObjects({
  staged,
  to,
  keys,
  problems,
  onProgress,
  signal,
}: Work & { staged: string; keys: string[]; problems: string[] }): Promise<number> {
  let copied = 0;
  for (const [index, key] of keys.entries()) {
    throwIfCancelled(signal, 'The backup');
    const from = path.join(staged, key);
    const target = path.join(backupFiles(to).objects, key.slice(0, 2), key);
    const known = statSync(target, { throwIfNoEntry: false });
    if (known?.size === statSync(from).size || (await copyFile(from, target)) === key) copied += 1;
    else {
      rmSync(target);
      problems.push(`object ${key} is damaged`);
    }
    onProgress?.({ what: 'Copying objects', done: index + 1, total: keys.length });
  }
  return copied;
}

async function copyRuns({ to, runs, problems, onProgress, signal }: Work & { runs: Snapshot['runs']; problems: string[] }) {
  const copied: NonNullable<Manifest['files']>['runs'] = [];
  for (const [index, { id, path: from, state }] of runs.entries()) {
    throwIfCancelled(signal, 'The backup');
    if (existsSync(path.join(from, 'run.json'))) copied.push({ id, files: await copyRunFolder(from, backupFiles(to).run(id)) });
    // A training that waits for its first worker has no folder yet.
    else if (state !== 'TRAINING') problems.push(`the folder of run ${id} is missing`);
    onProgress?.({ what: 'Copying runs', done: index + 1, total: runs.length });
  }
  return copied;
}
