import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { putObject } from '@cxr-lens/data';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backup } from '../backup/backup.ts';
import { restore } from '../backup/restore.ts';
import { createPrisma } from '../client.ts';
import { createJobs } from '../jobs/jobs.ts';
import { installQueues } from '../jobs/queues.ts';
import { migrate } from '../migrate.ts';
import { clusterLock, locateCluster } from './cluster.ts';
import { ADMINISTRATION, ensureEmbedded, releaseEmbedded } from './embedded.ts';
import { withLock } from './lock.ts';
import { stopServer } from './server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-role-'));
const home = path.join(folder, 'postgres');
const { CXR_HOME } = process.env;

const open = (database: string): Promise<string> => ensureEmbedded(home, { database, fast: true });

async function ask<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Everything of a database that somebody else than the application owns. */
const FOREIGN = `
  WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'pgboss'))
  SELECT relname AS name FROM pg_class WHERE relnamespace IN (SELECT oid FROM ours) AND relowner <> 'cxr_lens'::regrole
  UNION ALL SELECT proname FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours) AND proowner <> 'cxr_lens'::regrole
  UNION ALL SELECT typname FROM pg_type WHERE typnamespace IN (SELECT oid FROM ours) AND typowner <> 'cxr_lens'::regrole
  UNION ALL SELECT nspname FROM pg_namespace WHERE nspname IN ('public', 'pgboss') AND nspowner NOT IN ('cxr_lens'::regrole, 'pg_database_owner'::regrole)
  UNION ALL SELECT datname FROM pg_database WHERE datname = current_database() AND datdba <> 'cxr_lens'::regrole`;

beforeAll(() => {
  process.env['CXR_HOME'] = folder;
});

afterAll(async () => {
  releaseEmbedded(home);
  const cluster = locateCluster(home);
  if (cluster) {
    await withLock(clusterLock(home), () => stopServer(cluster));
    rmSync(cluster.folder, { recursive: true, force: true });
  }
  rmSync(folder, { recursive: true, force: true });
  if (CXR_HOME === undefined) delete process.env['CXR_HOME'];
  else process.env['CXR_HOME'] = CXR_HOME;
});

describe("the application's role", () => {
  it('owns its database and may do nothing else on the server', async () => {
    const url = await open('own');
    expect(new URL(url).username).toBe('cxr_lens');
    const [role] = await ask(url, 'SELECT * FROM pg_roles WHERE rolname = current_user');
    expect(role).toMatchObject({ rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolreplication: false, rolbypassrls: false });
    for (const sql of [
      `COPY (SELECT 1) TO PROGRAM 'true'`,
      `COPY (SELECT 1) TO '/tmp/cxr-lens-role'`,
      `SELECT pg_read_file('/etc/passwd')`,
      `SELECT * FROM pg_authid`,
      'CREATE ROLE other',
      'ALTER ROLE cxr_lens SUPERUSER',
      'ALTER SYSTEM SET work_mem = 1',
      'CREATE DATABASE other',
      'SET ROLE postgres',
    ]) {
      await expect(ask(url, sql), sql).rejects.toThrow(/permission denied|must be|Only roles/i);
    }
    await migrate(url);
    await installQueues(url);
    expect(await ask(url, FOREIGN)).toEqual([]);
    expect(await open('own')).toBe(url);
  });

  it('has its password in a file that no other account reads, and another one when that is lost', async () => {
    const before = await open('own');
    const file = path.join(locateCluster(home)!.folder, 'application-password');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    rmSync(file);
    const after = await open('own');
    expect(new URL(after).password).not.toBe(new URL(before).password);
    expect(await ask(after, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await expect(ask(before, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });
});

describe('a database of 0.1.0, which the superuser owns', () => {
  const withDatabase = (url: string, database: string): string => Object.assign(new URL(url), { pathname: database }).href;
  let url = '';

  it("is handed over with all its rows at the next start; tables, queues, triggers and migrations are then the role's", async () => {
    const administrator = await open(ADMINISTRATION);
    await ask(administrator, 'CREATE DATABASE cxr_lens');
    const old = withDatabase(administrator, 'cxr_lens');
    await migrate(old);
    await installQueues(old);
    const prisma = createPrisma(old);
    const image = { sopInstanceUid: '1.2.4', objectKey: await putObject(Buffer.from('bytes')), format: 'png', width: 8, height: 8 };
    await prisma.study.create({ data: { studyInstanceUid: '1.2.3', images: { create: image } } });
    const queue = await createJobs({ prisma, url: old });
    await queue.enqueue('phantom', { name: 'p', images: 10, drawnSize: 96, size: 48, seed: 1, prevalence: 'nih' });
    await queue.stop();
    await prisma.$disconnect();
    expect((await ask(old, FOREIGN)).length).toBeGreaterThan(50);

    url = await open('cxr_lens');
    expect(new URL(url).username).toBe('cxr_lens');
    expect(await ask(url, FOREIGN)).toEqual([]);
    expect(await ask(url, 'SELECT "studyInstanceUid" AS uid FROM "Study"')).toEqual([{ uid: '1.2.3' }]);
    expect(await migrate(url)).toEqual([]);
    await installQueues(url);
    const own = createPrisma(url);
    const jobs = await createJobs({ prisma: own, url });
    const [job] = await own.job.findMany();
    expect(await jobs.cancel(job!.id)).toMatchObject({ state: 'CANCELLED' });
    await jobs.stop();
    await own.$disconnect();
    // As a later migration may.
    for (const sql of [
      `ALTER TYPE "JobKind" ADD VALUE 'LATER'`,
      'CREATE OR REPLACE FUNCTION cxr_notify() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
      'ALTER TABLE "Study" ALTER COLUMN "studyInstanceUid" SET NOT NULL',
    ])
      await ask(url, sql);
  });

  it('stays with the role when an older version has added to it meanwhile', async () => {
    const old = withDatabase(await open(ADMINISTRATION), 'cxr_lens');
    await ask(old, 'CREATE TABLE pgboss.added (id serial PRIMARY KEY)');
    expect(await ask(url, FOREIGN)).not.toEqual([]);
    expect(await open('cxr_lens')).toBe(url);
    expect(await ask(url, FOREIGN)).toEqual([]);
  });

  it('is backed up and restored by the role', async () => {
    const to = path.join(folder, 'backup');
    expect(await backup({ url, folder: to })).toMatchObject({ objects: 1, problems: [] });
    const target = await open('restored');
    await migrate(target);
    await installQueues(target);
    process.env['CXR_HOME'] = path.join(folder, 'other');
    try {
      expect(await restore({ url: target, folder: to })).toMatchObject({ objects: 1, problems: [] });
      expect(await ask(target, 'SELECT "studyInstanceUid" AS uid FROM "Study"')).toEqual([{ uid: '1.2.3' }]);
      expect(await ask(target, FOREIGN)).toEqual([]);
    } finally {
      process.env['CXR_HOME'] = folder;
    }
  });
});
