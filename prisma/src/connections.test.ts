import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrisma } from './client.ts';
import { borrowedAccount } from './embedded/account.ts';
import { freePort, isListening } from './embedded/processes.ts';
import { createJobs } from './jobs/jobs.ts';
import { asUnavailable, isDatabaseAway } from './patience.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

const PGBOUNCER = '/usr/sbin/pgbouncer';
const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-connections-'));
let database: TestDatabase;

/** What Postgres answers to a connection that it refuses: ErrorResponse of its protocol, section "Message Formats". */
function refusal(code: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0Mnot now\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

beforeAll(async () => {
  database = await testDatabase();
  const image = { sopInstanceUid: '1', objectKey: 'a', format: 'png', width: 8, height: 8 };
  await database.prisma.study.create({ data: { id: 'study', studyInstanceUid: '1', images: { create: { id: 'image', ...image } } } });
  const run = {
    id: 'run',
    name: 'run',
    method: 'baseline',
    preset: 'small',
    state: 'FINISHED',
    seed: 0,
    options: {},
    path: '/nowhere',
  } as const;
  await database.prisma.run.create({ data: run });
});

afterAll(async () => {
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const explanation = { imageId: 'image', runIds: ['run'] };

describe('few connections', () => {
  it('are waited for: hundreds of cancels at once all succeed', async () => {
    const prisma = createPrisma(database.url, { connections: 2 });
    const jobs = await createJobs({ prisma, url: database.url });
    try {
      const queued = await Promise.all(Array.from({ length: 300 }, () => jobs.enqueue('explain', explanation)));
      const cancelled = await Promise.all(queued.map(({ id }) => jobs.cancel(id)));
      expect(new Set(cancelled.map(({ state }) => state))).toEqual(new Set(['CANCELLED']));
    } finally {
      await jobs.stop();
      await prisma.$disconnect();
    }
  });
});

describe('a database that is away or full', () => {
  it('is told from a fault of ours', async () => {
    const nowhereUrl = async (): Promise<string> => `postgresql://postgres:x@127.0.0.1:${await freePort()}/test`;
    const nowhere = createPrisma(await nowhereUrl());
    const refused: unknown = await nowhere.run.count().catch((error: unknown) => error);
    expect(isDatabaseAway(refused)).toBe(true);
    await nowhere.$disconnect();
    // As it ends a worker whose database goes away between its migrations and its queue.
    const starting: unknown = await createJobs({ prisma: nowhere, url: await nowhereUrl(), onError: () => undefined }).catch(asUnavailable);
    expect(starting).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^The database does not answer now: .*ECONNREFUSED/),
    });

    const role = `few_${process.pid}`;
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x' CONNECTION LIMIT 1`);
    const url = new URL(database.url);
    Object.assign(url, { username: role, password: 'x' });
    const only = new pg.Client({ connectionString: url.href });
    await only.connect();
    const full = createPrisma(url.href);
    const crowded: unknown = await full.run.count().catch((error: unknown) => error);
    expect(isDatabaseAway(crowded)).toBe(true);
    await full.$disconnect();
    await only.end();
    await admin.query(`DROP ROLE ${role}`);
    await admin.end();

    // In no words that are looked for: only the code tells.
    for (const code of ['53100', '53200', '53300', '57P01', '57P02', '57P03']) {
      const server = net.createServer((socket) => socket.once('data', () => socket.end(refusal(code)))).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const away = createPrisma(`postgresql://postgres:x@127.0.0.1:${(server.address() as net.AddressInfo).port}/test`);
      const error: unknown = await away.run.count().catch((thrown: unknown) => thrown);
      expect([code, isDatabaseAway(error)]).toEqual([code, true]);
      await away.$disconnect();
      server.close();
    }

    const fault: unknown = await database.prisma.$queryRaw`SELECT no_such_function()`.catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(Error);
    expect(isDatabaseAway(fault)).toBe(false);
    expect(asUnavailable(fault)).toBe(fault);
  });
});

describe('behind PgBouncer in transaction mode', () => {
  let pooler: ChildProcess | undefined;

  afterAll(() => {
    pooler?.kill('SIGKILL');
    delete process.env['DATABASE_DIRECT_URL'];
  });

  async function startPooler(): Promise<string> {
    const { hostname, port, username, password, pathname } = new URL(database.url);
    const own = await freePort();
    writeFileSync(path.join(folder, 'users.txt'), `"${username}" "${password}"\n`);
    const settings = [
      '[databases]',
      `* = host=${hostname} port=${port}`,
      '[pgbouncer]',
      `listen_addr = 127.0.0.1\nlisten_port = ${own}\nunix_socket_dir =`,
      `auth_type = scram-sha-256\nauth_file = ${folder}/users.txt`,
      'pool_mode = transaction\ndefault_pool_size = 3',
    ];
    writeFileSync(path.join(folder, 'pgbouncer.ini'), `${settings.join('\n')}\n`);
    chmodSync(folder, 0o755);
    pooler = spawn(PGBOUNCER, ['-q', path.join(folder, 'pgbouncer.ini')], { ...borrowedAccount(), stdio: 'ignore' });
    await expect.poll(() => isListening(own), { timeout: 10_000 }).toBe(true);
    return `postgresql://${username}:${password}@127.0.0.1:${own}${pathname}`;
  }

  it('jobs are queued, announced, worked and cancelled', async (ctx) => {
    if (!existsSync(PGBOUNCER)) return ctx.skip('pgbouncer: not installed');
    const pooled = await startPooler();
    process.env['DATABASE_DIRECT_URL'] = database.url;
    const prisma = createPrisma(pooled);
    const jobs = await createJobs({ prisma, url: pooled });
    const unexpected = (): Promise<void> => Promise.reject(new Error('no such job was expected here'));
    try {
      await jobs.work({
        train: unexpected,
        phantom: unexpected,
        evaluate: unexpected,
        explain: (job) => (job.attempt === 1 ? waitFor(job.signal) : unexpected()),
      });
      const [done, cancelled] = await Promise.all([jobs.enqueue('explain', explanation), jobs.enqueue('explain', explanation)]);
      const state = async (id: string) => (await prisma.job.findUniqueOrThrow({ where: { id } })).state;
      await jobs.cancel(cancelled.id);
      await expect.poll(() => state(done.id), { timeout: 15_000 }).toBe('DONE');
      expect(await state(cancelled.id)).toBe('CANCELLED');
      await Promise.all(Array.from({ length: 60 }, () => prisma.$transaction((tx) => tx.run.count())));
    } finally {
      await jobs.stop();
      await prisma.$disconnect();
    }
  });
});

/** Ends after a second, or when it is aborted. */
async function waitFor(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    setTimeout(resolve, 1000);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
