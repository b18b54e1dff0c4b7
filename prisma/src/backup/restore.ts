import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CxrError, cxrHome, type OnProgress, putObject, renameDurable, throwIfCancelled } from '@cxr-lens/data';
import pg from 'pg';
import type { PrismaClient } from '../../generated/client/client.ts';
import { createPrisma, directUrl } from '../client.ts';
import { requeueOpenJobs } from '../jobs/requeue.ts';
import { applyMigrations, connect, type Migration, migrate, readMigrations } from '../migrate.ts';
import { claimStore } from '../objects/sweep.ts';
import { registerRun } from '../register/run.ts';
import { backupFiles, type Manifest, readManifest } from './manifest.ts';
import { copyFile } from './run-copy.ts';
import { loadTables } from './tables.ts';

export interface RestoreRequest {
  /** A migrated database without rows. */
  url: string;
  folder: string;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

export interface RestoreResult {
  rows: number;
  objects: number;
  runs: number;
  /** Jobs that were waiting or under way: they are in the queue again. */
  jobs: number;
  /** Differences to the backup, in sentences. */
  problems: string[];
}

/** Rows of these tables make a home one that is in use. */
const OWN_TABLES = ['Run', 'Study', 'Job', 'DataSet'];

/**
 * Puts a backup into an empty home: objects and run folders first, then all rows in one transaction, so that an interrupted restore
 * leaves an empty database and can be started again. Migrations that are newer than the backup are applied to it.
 * CxrError NOT_FOUND, CORRUPT for the backup, CONFLICT for a home that is in use or a backup of a newer version, CANCELLED.
 */
export async function restore({ url, folder, onProgress, signal }: RestoreRequest): Promise<RestoreResult> {
  const from = path.resolve(folder);
  const manifest = readManifest(from);
  const migrations = knownMigrations(manifest);
  const client = new pg.Client({ connectionString: url });
  await connect(client);
  try {
    await requireEmpty(client);
    const { objects, runs } = await restoreFiles(from, manifest, { onProgress, signal });
    onProgress?.({ what: 'Restoring the database', done: 0, total: 1 });
    await restoreRows(client, { from, manifest, migrations, runs });
    onProgress?.({ what: 'Restoring the database', done: 1, total: 1 });
    await migrate(directUrl(url));
    const prisma = createPrisma(url);
    try {
      // A backup of the database alone may lack rows of objects that are newer: those stay where they are.
      if (manifest.files !== null) await claimStore(prisma);
      const problems = await registerAgain(prisma, runs);
      const jobs = await requeueOpenJobs(prisma, url);
      return { rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0), objects, runs: runs.length, jobs, problems };
    } finally {
      await prisma.$disconnect();
    }
  } finally {
    await client.end();
  }
}

function knownMigrations({ migrations }: Manifest): Migration[] {
  const known = readMigrations();
  for (const [index, { name, checksum }] of migrations.entries()) {
    if (known[index]?.name === name && known[index].checksum === checksum) continue;
    throw new CxrError(
      'CONFLICT',
      `The backup has migration ${name}, which this version does not know: restore it with the version that made it, or a newer one.`,
    );
  }
  return known.slice(0, migrations.length);
}

async function requireEmpty(client: pg.Client): Promise<void> {
  for (const table of OWN_TABLES) {
    const { rows } = await client.query(`SELECT 1 FROM "${table}" LIMIT 1`);
    if (rows.length === 0) continue;
    throw new CxrError(
      'CONFLICT',
      `${cxrHome()} is in use: its database has rows (${table}). A backup goes into an empty one: name a new folder with CXR_HOME, or an empty database with DATABASE_URL.`,
    );
  }
}

interface RestoredRun {
  id: string;
  folder: string;
}

async function restoreFiles(from: string, { files }: Manifest, { onProgress, signal }: Pick<RestoreRequest, 'onProgress' | 'signal'>) {
  const keys = files === null ? [] : objectKeys(from);
  for (const [index, key] of keys.entries()) {
    throwIfCancelled(signal, 'The restore');
    const file = path.join(backupFiles(from).objects, key.slice(0, 2), key);
    const bytes = readFileSync(file);
    if (createHash('sha256').update(bytes).digest('hex') !== key) throw damaged(file);
    await putObject(bytes);
    onProgress?.({ what: 'Restoring objects', done: index + 1, total: keys.length });
  }
  const runs: RestoredRun[] = [];
  for (const { id, files: own } of files?.runs ?? []) {
    throwIfCancelled(signal, 'The restore');
    runs.push({ id, folder: await restoreRun(from, id, own) });
    onProgress?.({ what: 'Restoring runs', done: runs.length, total: files!.runs.length });
  }
  return { objects: keys.length, runs };
}

/** The objects that the backup holds. */
function objectKeys(from: string): string[] {
  const { objects } = backupFiles(from);
  if (!existsSync(objects)) return [];
  return readdirSync(objects, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
}

type RunCopy = NonNullable<Manifest['files']>['runs'][number]['files'];

/** A run folder appears under its name when it is whole. */
async function restoreRun(from: string, id: string, files: RunCopy): Promise<string> {
  const folder = path.join(cxrHome(), 'runs', id);
  if (existsSync(folder)) {
    if (files.every(({ path: name, sha256 }) => sha256Of(path.join(folder, name)) === sha256)) return folder;
    throw new CxrError('CONFLICT', `${folder} exists and is not the run of the backup. Move it away, or restore into another CXR_HOME.`);
  }
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  for (const { path: name, sha256 } of files) {
    const file = path.join(backupFiles(from).run(id), name);
    if ((await copyFile(file, path.join(unfinished, name))) !== sha256) throw damaged(file);
  }
  await renameDurable(unfinished, folder);
  return folder;
}

function sha256Of(file: string): string | null {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : null;
}

const damaged = (file: string): CxrError =>
  new CxrError('CORRUPT', `${file} is not the file that the backup wrote. No row was restored; use another backup.`);

/** All rows or none: whatever stops it, the database stays empty. */
async function restoreRows(
  client: pg.Client,
  { from, manifest, migrations, runs }: { from: string; manifest: Manifest; migrations: Migration[]; runs: RestoredRun[] },
): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query('DROP SCHEMA public CASCADE');
    await client.query('CREATE SCHEMA public');
    await applyMigrations(client, migrations);
    await loadTables(client, manifest.tables, backupFiles(from).table);
    for (const { id, folder } of runs) await client.query('UPDATE "Run" SET path = $2 WHERE id = $1', [id, folder]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** A run folder may be newer than the snapshot of the rows. */
async function registerAgain(prisma: PrismaClient, runs: readonly RestoredRun[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { id, folder } of runs) {
    try {
      await registerRun(prisma, folder);
    } catch (error) {
      if (!(error instanceof CxrError)) throw error;
      problems.push(`run ${id}: ${error.message}`);
    }
  }
  const dataSets = await prisma.dataSet.findMany({ select: { name: true, path: true } });
  for (const { name, path: file } of dataSets) {
    if (!existsSync(file)) problems.push(`data set ${name} is not at ${file}: prepare or copy it there, then register it`);
  }
  return problems;
}
