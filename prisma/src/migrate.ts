import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import pg from 'pg';

export const MIGRATIONS = path.resolve(import.meta.dirname, '../migrations');

/** The key of the advisory lock that Prisma's own engine takes. */
const ADVISORY_LOCK = 72707369;

const TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

export interface Migration {
  name: string;
  sql: string;
  /** SHA-256 of the file. */
  checksum: string;
}

/** All migrations of a folder in their order. */
export function readMigrations(folder = MIGRATIONS): Migration[] {
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  return names.sort().map((name) => {
    const sql = readFileSync(path.join(folder, name, 'migration.sql'), 'utf8');
    return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

export interface MigrateOptions {
  folder?: string;
  /** Called before a database that holds tables already is changed; what it throws stops the migration with nothing changed. */
  beforeChange?: (client: pg.Client, migration: string) => Promise<void>;
}

/**
 * `prisma migrate deploy` without its schema engine: same files, same table, same checksums, same lock; Prisma's own finds nothing to do
 * afterwards. Each migration and its row commit together, so that a kill at any moment leaves nothing half done.
 * Returns the names applied. CxrError CONFLICT when the database and the files tell different histories, UNAVAILABLE without a server.
 */
export async function migrate(url: string, { folder = MIGRATIONS, beforeChange }: MigrateOptions = {}): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await connect(client);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await client.query(TABLE);
    const applied = await appliedMigrations(client);
    const pending = pendingMigrations(readMigrations(folder), applied);
    if (applied.length > 0 && pending.length > 0) await beforeChange?.(client, pending[0]!.name);
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

async function appliedMigrations(client: pg.Client): Promise<AppliedRow[]> {
  const sql = 'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL';
  return (await client.query<AppliedRow>(sql)).rows;
}

function pendingMigrations(migrations: Migration[], applied: AppliedRow[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of applied) {
    const name = row.migration_name;
    const migration = known.get(name);
    if (!row.finished_at)
      throw new CxrError('CONFLICT', `Migration ${name} failed in this database earlier: mark it rolled back or applied.`);
    if (!migration)
      throw new CxrError('CONFLICT', `The database has migration ${name}, which this version does not know: use a newer version.`);
    if (row.checksum !== migration.checksum)
      throw new CxrError('CONFLICT', `Migration ${name} was edited after it was applied: restore the file.`);
  }
  const done = new Set(applied.map((row) => row.migration_name));
  return migrations.filter(({ name }) => !done.has(name));
}

/** Makes the tables of some migrations, in the transaction of `client`, in a database without any. */
export async function applyMigrations(client: pg.Client, migrations: readonly Migration[]): Promise<void> {
  await client.query(TABLE);
  for (const migration of migrations) await applyWithin(client, migration);
}

async function applyWithin(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  const row =
    'INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)';
  await client.query(sql);
  await client.query(row, [randomUUID(), checksum, name]);
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const { name } = migration;
  try {
    await client.query('BEGIN');
    await applyWithin(client, migration);
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new CxrError('INTERNAL', `Migration ${name} failed and was undone: ${(cause as Error).message}`, { cause });
  }
}

/** Connects, or says in one sentence which server does not answer. */
export async function connect(client: pg.Client): Promise<void> {
  try {
    await client.connect();
  } catch (cause) {
    const reason = (cause as Error).message || (cause as NodeJS.ErrnoException).code;
    const message = `The database at ${client.host}:${client.port}/${client.database} does not answer: ${reason}. Check DATABASE_URL.`;
    throw new CxrError('UNAVAILABLE', message, { cause });
  }
}
