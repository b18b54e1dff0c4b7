import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './ask.fixture.ts';
import { clusterLock, dataFolder, locateCluster } from './cluster.ts';
import { ensureEmbedded, releaseEmbedded } from './embedded.ts';
import { withLock } from './lock.ts';
import { stopServer } from './server.ts';

const execute = promisify(execFile);
const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-containers-'));
const home = path.join(folder, 'postgres');

/** A process with the process table and the network of a container of its own; it shares the files. */
const CONTAINER = ['--pid', '--net', '--ipc', '--mount', '--fork', 'bash', '-c'];

function whyNoContainers(): string | null {
  try {
    execFileSync('unshare', [...CONTAINER, 'ip link set lo up && mount -t proc proc /proc'], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return `unshare: no namespaces here (${String((error as Error).message).split('\n')[0]})`;
  }
}

async function startInContainer(): Promise<string> {
  const script =
    `import { ensureEmbedded } from '${import.meta.dirname}/embedded.ts'; ` +
    `console.log(await ensureEmbedded('${home}', { database: 'test' }).catch((error) => error.code + ': ' + error.message));`;
  const command = `ip link set lo up; mount -t proc proc /proc; exec ${process.execPath} --input-type=module -e "${script}"`;
  return (await execute('unshare', [...CONTAINER, command])).stdout.trim();
}

describe('one CXR_HOME in two containers', () => {
  let url = '';

  beforeAll(async () => {
    url = await ensureEmbedded(home, { database: 'test' });
    await ask(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  });

  afterAll(async () => {
    releaseEmbedded(home);
    const cluster = locateCluster(home);
    if (cluster) {
      await withLock(clusterLock(home), () => stopServer(cluster));
      rmSync(cluster.folder, { recursive: true, force: true });
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('has one server: the second container is refused and leaves the first one its files', async (ctx) => {
    const why = whyNoContainers();
    if (why) return ctx.skip(why);
    const postmaster = path.join(dataFolder(locateCluster(home)!), 'postmaster.pid');
    const before = readFileSync(postmaster, 'utf8');
    expect(await startInContainer()).toMatch(
      /^CONFLICT: The embedded Postgres of .* is held by a server that this process cannot see: another container or machine uses the same CXR_HOME\. Stop CXR Lens there/,
    );
    expect(readFileSync(postmaster, 'utf8')).toBe(before);
    expect(await ask(url, 'SELECT answer FROM kept')).toBe(42);
  });
});

describe('a home whose database is not where it was', () => {
  const lost = path.join(folder, 'lost/postgres');

  it('is refused instead of given an empty one, until the files are back', async () => {
    await ensureEmbedded(lost, { database: 'test', fast: true });
    const cluster = locateCluster(lost)!;
    releaseEmbedded(lost);
    await withLock(clusterLock(lost), () => stopServer(cluster));
    for (const missing of [cluster.account ? cluster.folder : dataFolder(cluster), dataFolder(cluster)]) {
      renameSync(missing, `${missing}.away`);
      await expect(ensureEmbedded(lost, { database: 'test', fast: true })).rejects.toThrow(
        /^The database of .* is not where it was: its files in .* are gone\. Put that folder back .* or restore a backup/,
      );
      renameSync(`${missing}.away`, missing);
    }
    expect(await ask(await ensureEmbedded(lost, { database: 'test', fast: true }), 'SELECT 1 AS one')).toBe(1);
    releaseEmbedded(lost);
    await withLock(clusterLock(lost), () => stopServer(cluster));
    rmSync(cluster.folder, { recursive: true, force: true });
  });
});
