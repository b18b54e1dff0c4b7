// Runs beside the embedded server, detached: node keeper.ts <CXR_HOME>/postgres [fast]
// Restarts the server when it dies while somebody uses it, and stops it when nobody has used it for a while: however its users
// ended, nothing is left running. It bounds the server's log too, and imports nothing large, to stay small.
import { setTimeout as sleep } from 'node:timers/promises';
import { rotateLog } from '@cxr-lens/data/log-file';
import { type Cluster, clusterLock, keeperLock, locateCluster, logFile, removeAbandoned, servesAnother } from './cluster.ts';
import { countLeases } from './leases.ts';
import { tryLock, withLock } from './lock.ts';
import { runningPort, serverPid, startServer, stopOrphan, stopServer } from './server.ts';

const LOOK_MS = 500;
const IDLE_MS = 5000;

// As `PRIVATE_UMASK`: the server and its log are open to no other account.
process.umask(0o077);
const home = process.argv[2]!;
const fast = process.argv[3] === 'fast';

interface Known {
  cluster: Cluster;
  pid: number | null;
}

const own = tryLock(keeperLock(home));
let usedAt = Date.now();
let last = null as Known | null;
while (own) {
  await sleep(LOOK_MS);
  const cluster = locateCluster(home);
  if (!cluster) {
    if (last) await leaveHome(last).catch(() => undefined);
    break;
  }
  boundLog(cluster);
  last = { cluster, pid: serverPid(cluster) ?? last?.pid ?? null };
  if (countLeases(home) > 0) {
    usedAt = Date.now();
    if ((await runningPort(cluster)) === null)
      await withLock(clusterLock(home), () => startServer(cluster, { fast })).catch(() => undefined);
  } else if (Date.now() - usedAt > IDLE_MS && (await withLock(clusterLock(home), stopUnlessUsed))) break;

  async function stopUnlessUsed(): Promise<boolean> {
    if (countLeases(home) > 0) return false;
    await stopServer(cluster!);
    own?.release();
    return true;
  }
}

function boundLog(cluster: Cluster): void {
  try {
    rotateLog(logFile(cluster));
  } catch {
    // The disk refuses now: the next look may do better.
  }
}

/** The home was removed, or moved away. */
async function leaveHome({ cluster, pid }: Known): Promise<void> {
  if (pid === null || servesAnother(cluster)) return;
  // Without the lock of the home: taking it would make the folder again.
  await stopOrphan(cluster, pid);
  if (cluster.account) removeAbandoned();
}
