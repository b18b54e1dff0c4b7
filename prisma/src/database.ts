import path from 'node:path';
import { CxrError, cxrHome, type OnProgress } from '@cxr-lens/data';
import pg from 'pg';
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
  await migrate(url);
  await installQueues(url);
  report('The database is ready', 2);
  return url;
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
  /** Host, port and database, without the password. */
  address: string;
  /** E.g. "18.4". */
  version: string;
  migrations: { applied: number; known: number };
}

/** What `doctor` says of the database at `url`. */
export async function databaseInfo(url: string): Promise<DatabaseInfo> {
  const client = new pg.Client({ connectionString: url });
  await connect(client);
  try {
    const version = await client.query<{ server_version: string }>('SHOW server_version');
    const applied = await client.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM _prisma_migrations WHERE finished_at IS NOT NULL',
    );
    return {
      source: process.env['DATABASE_URL'] ? 'DATABASE_URL' : 'embedded',
      address: `${client.host}:${client.port}/${client.database}`,
      version: version.rows[0]!.server_version,
      migrations: { applied: applied.rows[0]!.count, known: readMigrations().length },
    };
  } catch (cause) {
    throw new CxrError('UNAVAILABLE', `The database does not look like ours: ${(cause as Error).message}.`, { cause });
  } finally {
    await client.end();
  }
}
