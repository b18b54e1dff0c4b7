import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CxrError } from '@cxr-lens/data/error';
import type { FileLock } from '@cxr-lens/data/file-lock';
import { type Cluster, dataFolder, logFile, passwordFile, portFile } from './cluster.ts';
import { tryLock } from './lock.ts';
import { freePort, isListening, processStat } from './processes.ts';
import { run } from './run.ts';

const START_ATTEMPTS = 20;
/** Enough for some twenty processes (`CONNECTIONS_A_PROCESS`); idle ones close theirs. */
const MAX_CONNECTIONS = 200;
const RETRY_MS = 250;
/** A server that stops writes its last checkpoint first. */
const LOCK_ATTEMPTS = 60;

/** For tests only: a crash of the machine may lose or corrupt everything. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** The port of the cluster's server when it is up and ready, else null. */
export async function runningPort(cluster: Cluster): Promise<number | null> {
  const postmaster = readPostmaster(cluster);
  if (!postmaster?.alive || !postmaster.ready) return null;
  return (await isListening(postmaster.port)) ? postmaster.port : null;
}

/** The server holds this lock for as long as any of its processes lives, wherever it was started: it inherits the descriptor. */
const serverLock = (cluster: Cluster): string => path.join(cluster.folder, 'server.lock');

/**
 * Starts the cluster's server and returns its port, the one it had before where that is free. To be called under `clusterLock`.
 * CxrError CONFLICT while a server of another container or machine has the cluster.
 */
export async function startServer(cluster: Cluster, options: { fast: boolean }): Promise<number> {
  for (let attempt = 1, waited = 1; ; ) {
    const running = await runningPort(cluster);
    if (running !== null) return running;
    const lock = tryLock(serverLock(cluster));
    if (lock) {
      const { status, output } = await launch(cluster, options, lock).finally(lock.release);
      if (status === 0) continue;
      if (attempt++ >= START_ATTEMPTS) throw new Error(`pg_ctl start failed: ${output}\n${logTail(cluster)}`);
    } else if (waited++ >= LOCK_ATTEMPTS) throw heldElsewhere(cluster);
    await sleep(RETRY_MS);
  }
}

/** One attempt to start the server, which inherits `lock`. */
async function launch(cluster: Cluster, { fast }: { fast: boolean }, lock: FileLock): Promise<{ status: number; output: string }> {
  removeDeadPostmaster(cluster);
  const port = await freePort(existsSync(portFile(cluster)) ? Number(readFileSync(portFile(cluster), 'utf8')) : 0);
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `max_connections=${MAX_CONNECTIONS}`, ...(fast ? FAST : [])];
  const postgres = [`-p ${port}`, ...settings.map((setting) => `-c ${setting}`)].join(' ');
  const args = ['-D', dataFolder(cluster), '-l', logFile(cluster), '-w', '-t', '60', '-o', postgres, 'start'];
  const ended = await run(path.join(cluster.binaries, 'bin/pg_ctl'), args, { account: cluster.account, held: lock.fd });
  writeFileSync(portFile(cluster), String(port));
  return ended;
}

function heldElsewhere({ home, folder }: Cluster): CxrError {
  return new CxrError(
    'CONFLICT',
    `The embedded Postgres of ${home} (files in ${folder}) is held by a server that this process cannot see: another container or machine uses the same CXR_HOME. ` +
      'Stop CXR Lens there first, or set DATABASE_URL to one server that both can reach.',
  );
}

/** Stops the cluster's server; open connections are cut. To be called under `clusterLock`. */
export async function stopServer(cluster: Cluster): Promise<void> {
  if (!readPostmaster(cluster)?.alive) return;
  const args = ['-D', dataFolder(cluster), '-m', 'fast', '-w', 'stop'];
  const { status, output } = await run(path.join(cluster.binaries, 'bin/pg_ctl'), args, { account: cluster.account });
  if (status !== 0) throw new Error(`pg_ctl stop failed: ${output}`);
}

/** The process of the cluster's server; null when it does not run. */
export function serverPid(cluster: Cluster): number | null {
  const postmaster = readPostmaster(cluster);
  return postmaster?.alive ? postmaster.pid : null;
}

/** Stops the server whose home is gone, and its files perhaps with it. */
export async function stopOrphan(cluster: Cluster, pid: number): Promise<void> {
  if (serverPid(cluster) !== null) return stopServer(cluster);
  // Without its files it can write no checkpoint, so it is told to end at once.
  if (processStat(pid)?.command === 'postgres') process.kill(pid, 'SIGQUIT');
}

/** The URL of a database of the cluster for the superuser that `initdb` made. */
export function administratorUrl(cluster: Cluster, port: number, database: string): string {
  return loopbackUrl({ user: 'postgres', password: readFileSync(passwordFile(cluster), 'utf8').trim(), port, database });
}

/** The URL of a database on a port of this machine. */
export const loopbackUrl = ({
  user,
  password,
  port,
  database,
}: {
  user: string;
  password: string;
  port: number;
  database: string;
}): string => `postgresql://${user}:${password}@127.0.0.1:${port}/${database}`;

const postmasterFile = (cluster: Cluster): string => path.join(dataFolder(cluster), 'postmaster.pid');

function readPostmaster(cluster: Cluster): { pid: number; alive: boolean; ready: boolean; port: number } | null {
  let lines: string[];
  try {
    lines = readFileSync(postmasterFile(cluster), 'utf8').split('\n');
  } catch {
    return null;
  }
  // After a restart of the machine or container the same process id may belong to anything.
  const pid = Number(lines[0]);
  const alive = processStat(pid)?.command === 'postgres';
  return { pid, alive, ready: lines[7]?.trim() === 'ready', port: Number(lines[3]) };
}

/** To be called with the server's lock held: then no process of a server lives, whatever this container's process table says. */
function removeDeadPostmaster(cluster: Cluster): void {
  if (readPostmaster(cluster)?.alive) return;
  rmSync(postmasterFile(cluster), { force: true });
}

function logTail(cluster: Cluster): string {
  return existsSync(logFile(cluster)) ? readFileSync(logFile(cluster), 'utf8').slice(-1500) : '';
}
