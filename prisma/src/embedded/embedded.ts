import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CxrError } from '@cxr-lens/data';
import { clusterLock, keeperLock, openCluster } from './cluster.ts';
import { dropLease, takeLease } from './leases.ts';
import { isLocked, withLock } from './lock.ts';
import { ensureApplication } from './role.ts';
import { administratorUrl, startServer } from './server.ts';

/** The database of the superuser. */
export const ADMINISTRATION = 'postgres';

export interface EmbeddedOptions {
  /** Made when it is not there, for a role that owns it and nothing else; `ADMINISTRATION` is the superuser's, which tests make theirs from. */
  database: string;
  /** Without flushing to disk: for tests. */
  fast?: boolean;
}

/**
 * The URL of a database on the embedded Postgres of `<CXR_HOME>/postgres` (`home`), which is made and started if need be. Any number of
 * processes may ask at once; the server stops some seconds after the last of them has ended.
 */
export async function ensureEmbedded(home: string, options: EmbeddedOptions): Promise<string> {
  const fast = options.fast ?? false;
  try {
    return await withLock(clusterLock(home), async () => {
      const cluster = await openCluster(home, { fast });
      takeLease(home);
      const port = await startServer(cluster, { fast });
      ensureKeeper(home, fast);
      watchKeeper(home, fast);
      return options.database === ADMINISTRATION
        ? administratorUrl(cluster, port, ADMINISTRATION)
        : await ensureApplication(cluster, port, options.database);
    });
  } catch (error) {
    dropLease(home);
    if (error instanceof CxrError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CxrError(
      'UNAVAILABLE',
      `The embedded Postgres in ${home} did not start: ${reason}. Set DATABASE_URL to use another server.`,
      {
        cause: error,
      },
    );
  }
}

/** Says that this process needs the server no longer. */
export function releaseEmbedded(home: string): void {
  clearInterval(watches.get(home));
  watches.delete(home);
  dropLease(home);
}

function ensureKeeper(home: string, fast: boolean): void {
  if (isLocked(keeperLock(home))) return;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const args = [fileURLToPath(new URL('./keeper.ts', import.meta.url)), home, ...(fast ? ['fast'] : [])];
  spawn(process.execPath, args, { detached: true, stdio: 'ignore', cwd: '/', env }).unref();
}

const LOOK_MS = 2000;
const watches = new Map<string, NodeJS.Timeout>();

/** Every user of the server sees to it that its keeper lives: without one a server that dies stays dead. */
function watchKeeper(home: string, fast: boolean): void {
  if (watches.has(home)) return;
  const look = (): void => {
    try {
      if (existsSync(home)) ensureKeeper(home, fast);
    } catch {
      // The disk refuses now: the next look may do better.
    }
  };
  watches.set(home, setInterval(look, LOOK_MS).unref());
}
