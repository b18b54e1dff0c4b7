import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { syncFolderSync } from '@cxr-lens/data/durable';
import { CxrError } from '@cxr-lens/data/error';
import { type Account, borrowedAccount } from './account.ts';
import { postgresBinaries, SHARED_FOLDER } from './binaries.ts';
import { run } from './run.ts';

/** One embedded Postgres: the files of one CXR_HOME. */
export interface Cluster {
  /** `<CXR_HOME>/postgres`. */
  home: string;
  /** Where the server's files lie: in `home`, or below /var/lib when root runs it. */
  folder: string;
  binaries: string;
  /** The account the server runs under; null: our own. */
  account: Account | null;
}

export const dataFolder = (cluster: Cluster): string => path.join(cluster.folder, 'data');
export const logFile = (cluster: Cluster): string => path.join(cluster.folder, 'postgres.log');
export const passwordFile = (cluster: Cluster): string => path.join(cluster.folder, 'password');

/** Holds the port of the server; written at its first start. */
export const portFile = (cluster: Cluster): string => path.join(cluster.folder, 'port');

/** The lock under which the cluster of `home` is made, started and stopped. */
export const clusterLock = (home: string): string => path.join(home, 'cluster.lock');

/** The keeper of `home` holds this lock. */
export const keeperLock = (home: string): string => path.join(home, 'keeper.lock');

/**
 * Finds the cluster of `<CXR_HOME>/postgres`, and makes it (1 s) where there was never one: flushed to the disk, unless `fast`, so that a
 * power cut cannot take the files that Postgres itself never writes again. To be called under `clusterLock`.
 * CxrError NOT_FOUND for a cluster whose files are gone: an empty one in its place would look like lost data.
 */
export async function openCluster(home: string, options: { fast: boolean }): Promise<Cluster> {
  const cluster = locateCluster(home) ?? newCluster(home);
  if (!existsSync(path.join(dataFolder(cluster), 'PG_VERSION'))) {
    if (existsSync(portFile(cluster))) throw lostFiles(home, dataFolder(cluster));
    await initialise(cluster, options);
  }
  return cluster;
}

function lostFiles(home: string, folder: string): CxrError {
  return new CxrError(
    'NOT_FOUND',
    `The database of ${home} is not where it was: its files in ${folder} are gone. Put that folder back (in a container: keep it on a volume, as CXR_HOME), or restore a backup. ` +
      `To begin with an empty database instead, move ${home} away.`,
  );
}

/** The cluster of `<CXR_HOME>/postgres` as it stands; null where none was made. */
export function locateCluster(home: string): Cluster | null {
  const account = borrowedAccount();
  const folder = clusterFolder(home);
  if (!folder) return null;
  return { home, folder, account, binaries: postgresBinaries({ reachable: account !== null }) };
}

/** Where the files of the cluster of `<CXR_HOME>/postgres` lie; null where none was made. */
export function clusterFolder(home: string): string | null {
  const folder = borrowedAccount() ? sharedFolder(home) : path.join(home, 'cluster');
  return folder && existsSync(folder) ? folder : null;
}

interface Pointer {
  id: string;
  home: string;
}

const pointerFile = (home: string): string => path.join(home, 'cluster.json');
const sharedClusters = path.join(SHARED_FOLDER, 'clusters');

/** Root's cluster lies elsewhere: `cluster.json` in the home says where, and moves with it. A copied home gets a cluster of its own. */
function sharedFolder(home: string): string | null {
  const pointer = readPointer(home);
  if (!pointer) return null;
  if (pointer.home !== home) {
    if (readPointer(pointer.home)?.id === pointer.id) return null;
    writePointer(home, pointer.id);
  }
  return path.join(sharedClusters, pointer.id);
}

function readPointer(home: string): Pointer | null {
  try {
    return JSON.parse(readFileSync(pointerFile(home), 'utf8')) as Pointer;
  } catch {
    return null;
  }
}

function writePointer(home: string, id: string): void {
  writeFileSync(pointerFile(home), `${JSON.stringify({ id, home } satisfies Pointer)}\n`, { flush: true });
  writeFileSync(path.join(sharedClusters, id, 'home'), home, { flush: true });
}

/** Whether the home of root's cluster has been moved: its cluster serves the new home by now. */
export function servesAnother(cluster: Cluster): boolean {
  const owner = path.join(cluster.folder, 'home');
  return cluster.account !== null && existsSync(owner) && readFileSync(owner, 'utf8') !== cluster.home;
}

function newCluster(home: string): Cluster {
  mkdirSync(home, { recursive: true });
  const account = borrowedAccount();
  const lost = account && sharedFolder(home);
  if (lost) throw lostFiles(home, lost);
  const id = randomBytes(6).toString('hex');
  const folder = account ? path.join(sharedClusters, id) : path.join(home, 'cluster');
  mkdirSync(folder, { recursive: true });
  if (account) {
    for (const shared of [SHARED_FOLDER, sharedClusters]) chmodSync(shared, 0o755);
    removeAbandoned();
    chownSync(folder, account.uid, account.gid);
    writePointer(home, id);
  }
  return { home, folder, account, binaries: postgresBinaries({ reachable: account !== null }) };
}

/** Removes root's clusters of temporary folders that are gone; any other is left, its folder may only be unmounted. */
export function removeAbandoned(): void {
  if (!existsSync(sharedClusters)) return;
  for (const id of readdirSync(sharedClusters)) {
    const folder = path.join(sharedClusters, id);
    const owner = path.join(folder, 'home');
    if (!existsSync(owner)) continue;
    const home = readFileSync(owner, 'utf8');
    const temporary = home.startsWith(tmpdir() + path.sep);
    const running = existsSync(path.join(folder, 'data/postmaster.pid'));
    if (temporary && !running && readPointer(home)?.id !== id) rmSync(folder, { recursive: true, force: true });
  }
}

async function initialise(cluster: Cluster, { fast }: { fast: boolean }): Promise<void> {
  const { account, binaries } = cluster;
  const data = dataFolder(cluster);
  const password = passwordFile(cluster);
  rmSync(data, { recursive: true, force: true });
  writeFileSync(password, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600, flush: true });
  if (account) chownSync(password, account.uid, account.gid);
  const options = ['-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${password}`, '-E', 'UTF8', '--locale=C'];
  if (fast) options.push('--no-sync');
  const { status, output } = await run(path.join(binaries, 'bin/initdb'), ['-D', data, ...options], { account });
  if (status === 0) {
    // The names of the cluster and of what lies beside its data.
    if (!fast)
      for (const folder of [cluster.folder, path.dirname(cluster.folder), cluster.home, path.dirname(cluster.home)]) syncFolderSync(folder);
    return;
  }
  rmSync(data, { recursive: true, force: true });
  throw new Error(`initdb failed: ${output}`);
}
