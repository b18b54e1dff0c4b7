import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, dataFolder, logFile, passwordFile } from './cluster.ts';
import { freePort, isListening, processStat } from './processes.ts';
import { run } from './run.ts';

const START_ATTEMPTS = 20;

/** For tests only: a crash of the machine may lose or corrupt everything. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** The port of the cluster's server when it is up and ready, else null. */
export async function runningPort(cluster: Cluster): Promise<number | null> {
  const postmaster = readPostmaster(cluster);
  if (!postmaster?.alive || !postmaster.ready) return null;
  return (await isListening(postmaster.port)) ? postmaster.port : null;
}

/** Starts the cluster's server and returns its port, the one it had before where that is free. To be called under `clusterLock`. */
export async function startServer(cluster: Cluster, options: { fast: boolean }): Promise<number> {
  const portFile = path.join(cluster.folder, 'port');
  for (let attempt = 1; ; attempt++) {
    const running = await runningPort(cluster);
    if (running !== null) return running;
    await clearDeadPostmaster(cluster);
    const port = await freePort(existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : 0);
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=100', ...(options.fast ? FAST : [])];
    const postgres = [`-p ${port}`, ...settings.map((setting) => `-c ${setting}`)].join(' ');
    const args = ['-D', dataFolder(cluster), '-l', logFile(cluster), '-w', '-t', '60', '-o', postgres, 'start'];
    const { status, output } = await run(path.join(cluster.binaries, 'bin/pg_ctl'), args, cluster.account);
    writeFileSync(portFile, String(port));
    if (status === 0) continue;
    if (attempt >= START_ATTEMPTS) throw new Error(`pg_ctl start failed: ${output}\n${logTail(cluster)}`);
    await sleep(250);
  }
}

/** Stops the cluster's server; open connections are cut. To be called under `clusterLock`. */
export async function stopServer(cluster: Cluster): Promise<void> {
  if (!readPostmaster(cluster)?.alive) return;
  const args = ['-D', dataFolder(cluster), '-m', 'fast', '-w', 'stop'];
  const { status, output } = await run(path.join(cluster.binaries, 'bin/pg_ctl'), args, cluster.account);
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

/** The URL of a database of the cluster, with its password. */
export function databaseUrl(cluster: Cluster, port: number, database: string): string {
  const password = readFileSync(passwordFile(cluster), 'utf8').trim();
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;
}

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

/** After a kill -9 its backends need a moment to notice and let go of shared memory; Postgres then recovers by itself. */
async function clearDeadPostmaster(cluster: Cluster): Promise<void> {
  const postmaster = readPostmaster(cluster);
  if (!postmaster || postmaster.alive) return;
  await sleep(500);
  rmSync(postmasterFile(cluster), { force: true });
}

function logTail(cluster: Cluster): string {
  return existsSync(logFile(cluster)) ? readFileSync(logFile(cluster), 'utf8').slice(-1500) : '';
}
