// Runs beside the embedded server, detached: node keeper.ts <CXR_HOME>/postgres [fast]
// Restarts the server when it dies while somebody uses it, and stops it when nobody has used it for a while: however its users
// ended, nothing is left running. It imports no package, to stay small.
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterLock, locateCluster } from './cluster.ts';
import { countLeases } from './leases.ts';
import { tryLock, withLock } from './lock.ts';
import { runningPort, startServer, stopServer } from './server.ts';

const LOOK_MS = 500;
const IDLE_MS = 5000;

const home = process.argv[2]!;
const fast = process.argv[3] === 'fast';

const own = await tryLock(`keeper${home}`);
let usedAt = Date.now();
while (own) {
  await sleep(LOOK_MS);
  const cluster = locateCluster(home);
  if (!cluster) break;
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
