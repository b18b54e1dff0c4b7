import path from 'node:path';
import { CxrError, cxrHome, type OnProgress } from '@cxr-lens/data';
import pg from 'pg';
import { backupDatabase } from './backup/backup.ts';
import { CONNECTIONS_A_PROCESS, directUrl } from './client.ts';
import { clusterFolder } from './embedded/cluster.ts';
import { ensureEmbedded, releaseEmbedded } from './embedded/embedded.ts';
import { installQueues } from './jobs/queues.ts';
import { connect, migrate, readMigrations } from './migrate.ts';

const DATABASE = 'cxr_lens';

const embeddedHome = (): string => path.join(cxrHome(), 'postgres');

/**
 * The URL of a ready, migrated database: DATABASE_URL, or the embedded server of this CXR_HOME, started if need be; that one stops some
 * seconds after the last process that asked for it has ended. CxrError UNAVAILABLE says why there is none and what to do.
 */
export async function ensureDatabase(options: { onProgress?: OnProgress } = {}): Promise<string> {
  const report = (what: string, done: number): void => options.onProgress?.({ what, done, total: 2 });
  report('Starting the database', 0);
  const url = process.env['DATABASE_URL'] || (await ensureEmbedded(embeddedHome(), { database: DATABASE }));
  report('Migrating the database', 1);
  await migrate(directUrl(url), { beforeChange: keepBefore });
  await installQueues(directUrl(url));
  report('The database is ready', 2);
  return url;
}

/** A migration cannot be undone: the rows as they were are kept below CXR_HOME, for `cxr-lens restore`. */
async function keepBefore(client: pg.Client, migration: string): Promise<void> {
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
  await backupDatabase(client, path.join(cxrHome(), 'backups', `${time}-before-${migration}`));
}

/** The folder of the embedded database of this CXR_HOME, so that its disk can be watched; null where it has none. */
export function embeddedFolder(): string | null {
  return clusterFolder(embeddedHome());
}

/** Lets the embedded server stop although this process goes on; without one nothing happens. */
export function releaseDatabase(): void {
  if (!process.env['DATABASE_URL']) releaseEmbedded(embeddedHome());
}

export interface DatabaseInfo {
  source: 'embedded' | 'DATABASE_URL';
  /** Where the embedded server's files lie; null for a server of DATABASE_URL. */
  folder: string | null;
  /** Host, port and database, without the password. */
  address: string;
  /** E.g. "18.4". */
  version: string;
  migrations: { applied: number; known: number };
  /** Connections: how many the server allows, how many are open, and how many each API or worker may open. */
  connections: { most: number; open: number; aProcess: number };
}

/** What `doctor` says of the database at `url`. */
export async function databaseInfo(url: string): Promise<DatabaseInfo> {
  const client = new pg.Client({ connectionString: url });
  await connect(client);
  try {
    const version = await client.query<{ server_version: string }>('SHOW server_version');
    const { rows: counts } = await client.query<{ most: number; open: number }>(
      `SELECT current_setting('max_connections')::int AS most, (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS open`,
    );
    const applied = await client.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM _prisma_migrations WHERE finished_at IS NOT NULL',
    );
    return {
      source: process.env['DATABASE_URL'] ? 'DATABASE_URL' : 'embedded',
      folder: process.env['DATABASE_URL'] ? null : embeddedFolder(),
      address: `${client.host}:${client.port}/${client.database}`,
      version: version.rows[0]!.server_version,
      migrations: { applied: applied.rows[0]!.count, known: readMigrations().length },
      connections: { ...counts[0]!, aProcess: CONNECTIONS_A_PROCESS },
    };
  } catch (cause) {
    throw new CxrError('UNAVAILABLE', `The database does not look like ours: ${(cause as Error).message}.`, { cause });
  } finally {
    await client.end();
  }
}
