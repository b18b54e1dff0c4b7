import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deleteObject, getObject, objectFile, putObject } from '@cxr-lens/data';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createJobs } from '../jobs/jobs.ts';
import { migrate, readMigrations } from '../migrate.ts';
import { ownObjects, shareObjects } from '../objects/lock.ts';
import { runFile } from '../register/run.fixture.ts';
import { registerRun } from '../register/run.ts';
import { type TestDatabase, testDatabase } from '../testing.ts';
import { backup, backupDatabase } from './backup.ts';
import { backupFiles, readManifest, writeManifest } from './manifest.ts';
import { restore } from './restore.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-backup-'));
const { CXR_HOME } = process.env;
let full: TestDatabase;
let empty: TestDatabase;

const useHome = (name: string): string => {
  const home = path.join(folder, name);
  process.env['CXR_HOME'] = home;
  return home;
};

async function addStudy(database: TestDatabase): Promise<string> {
  return database.prisma.$transaction(async (tx) => {
    await shareObjects(tx);
    const objectKey = await putObject(randomBytes(2000));
    const image = { sopInstanceUid: randomBytes(8).toString('hex'), objectKey, format: 'png', width: 8, height: 8 };
    const study = { studyInstanceUid: randomBytes(8).toString('hex'), images: { create: image } };
    return (await tx.study.create({ data: study })).id;
  });
}

async function deleteStudy(database: TestDatabase, id: string): Promise<void> {
  await database.prisma.$transaction(async (tx) => {
    await ownObjects(tx);
    const images = await tx.image.findMany({ where: { studyId: id } });
    await tx.study.delete({ where: { id } });
    for (const { objectKey } of images) await deleteObject(objectKey);
  });
}

async function rowsOf(database: TestDatabase, table: string, columns = '*'): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query(`SELECT ${columns} FROM "${table}" ORDER BY 1`)).rows as unknown[];
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  useHome('home');
  full = await testDatabase();
  const runs = path.join(folder, 'home/runs');
  mkdirSync(path.join(runs, 'one/checkpoints'), { recursive: true });
  writeFileSync(path.join(runs, 'one/run.json'), JSON.stringify(runFile('one')));
  writeFileSync(path.join(runs, 'one/checkpoints/state'), randomBytes(100_000));
  await registerRun(full.prisma, path.join(runs, 'one'));
  for (let i = 0; i < 20; i++) await addStudy(full);
  const image = (await full.prisma.image.findFirst())!;
  const jobs = await createJobs({ prisma: full.prisma, url: full.url });
  await jobs.enqueue('explain', { imageId: image.id, runIds: ['one'] });
  await jobs.stop();
});

beforeEach(async () => {
  empty = await testDatabase();
  return () => empty.drop();
});

afterAll(async () => {
  await full?.drop();
  rmSync(folder, { recursive: true, force: true });
  if (CXR_HOME === undefined) delete process.env['CXR_HOME'];
  else process.env['CXR_HOME'] = CXR_HOME;
});

describe('a backup', () => {
  it('taken while studies come and go is whole: every row, every byte, every run; restored jobs are delivered', async () => {
    const home = useHome('home');
    const to = path.join(folder, 'under-load');
    let loading = true;
    let changes = 0;
    const load = (async () => {
      for (const added: string[] = []; loading; changes++) {
        added.push(await addStudy(full));
        if (added.length > 3) await deleteStudy(full, added.shift()!);
        appendFileSync(path.join(home, 'runs/one/log'), 'x');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await expect.poll(() => changes, { timeout: 20_000 }).toBeGreaterThan(5);
    const made = await backup({ url: full.url, folder: to });
    loading = false;
    await load;
    expect(made.problems).toEqual([]);
    expect(readdirSync(home).filter((name) => name.startsWith('.backup-'))).toEqual([]);

    const restoredHome = useHome('restored');
    const result = await restore({ url: empty.url, folder: to });
    expect(result).toMatchObject({ rows: made.rows, objects: made.objects, runs: 1, jobs: 1, problems: [] });
    const images = await empty.prisma.image.findMany();
    expect(images.length).toBeGreaterThanOrEqual(20);
    for (const { objectKey } of images) expect((await getObject(objectKey)).length).toBe(2000);
    expect(readFileSync(path.join(restoredHome, 'runs/one/checkpoints/state'))).toEqual(
      readFileSync(path.join(home, 'runs/one/checkpoints/state')),
    );
    expect((await empty.prisma.run.findUniqueOrThrow({ where: { id: 'one' } })).path).toBe(path.join(restoredHome, 'runs/one'));
    // What the backup does not share with the living one is what came and went meanwhile.
    const kept = new Set((await full.prisma.study.findMany()).map(({ id }) => id));
    expect((await empty.prisma.study.findMany()).filter(({ id }) => kept.has(id)).length).toBeGreaterThanOrEqual(20);
    expect(await rowsOf(empty, 'Epoch')).toEqual(await rowsOf(full, 'Epoch'));
    const boss = new PgBoss({ connectionString: empty.url, supervise: false, schedule: false });
    await boss.start();
    const [job] = await full.prisma.job.findMany();
    expect((await boss.fetch('explain')).map(({ id }) => id)).toEqual([job!.id]);
    await boss.stop({ graceful: false });
    await empty.prisma.job.update({ where: { id: job!.id }, data: { state: 'CANCELLED' } });
    expect((await empty.prisma.jobEvent.findMany({ where: { jobId: job!.id } })).map(({ message }) => message)).toEqual([
      'Queued',
      'Restored from a backup',
    ]);
  });

  it('is row by row and byte by byte what was there, and rows can be added after it', async () => {
    useHome('home');
    const to = path.join(folder, 'quiet');
    await backup({ url: full.url, folder: to });
    useHome('restored-quiet');
    await restore({ url: empty.url, folder: to });
    for (const { name } of readManifest(to).tables) {
      const columns = { Run: 'id, name, options, card, "createdAt"', Job: 'id, input, kind' }[name];
      if (name === 'JobEvent') continue;
      expect(await rowsOf(empty, name, columns), name).toEqual(await rowsOf(full, name, columns));
    }
    const job = (await empty.prisma.job.findFirst())!;
    const added = await empty.prisma.jobEvent.create({ data: { jobId: job.id, message: 'one more' } });
    expect(await empty.prisma.jobEvent.count({ where: { id: added.id } })).toBe(1);
    await addStudy(empty);
  });

  it('names what it lacks, and completes what was interrupted', async () => {
    useHome('home');
    const to = path.join(folder, 'problems');
    const [missing, damaged] = await full.prisma.image.findMany({ take: 2 });
    const bytes = [missing!, damaged!].map(({ objectKey }) => readFileSync(objectFile(objectKey)));
    rmSync(objectFile(missing!.objectKey));
    writeFileSync(objectFile(damaged!.objectKey), 'other');
    const controller = new AbortController();
    const stopped = backup({
      url: full.url,
      folder: to,
      signal: controller.signal,
      onProgress: ({ what, done }) => what === 'Copying objects' && done === 3 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(restore({ url: empty.url, folder: to })).rejects.toThrow(/holds no finished backup/);
    const made = await backup({ url: full.url, folder: to });
    expect(made.problems).toEqual(
      expect.arrayContaining([`object ${missing!.objectKey} is missing`, `object ${damaged!.objectKey} is damaged`]),
    );
    writeFileSync(objectFile(missing!.objectKey), bytes[0]!);
    writeFileSync(objectFile(damaged!.objectKey), bytes[1]!);
    await expect(backup({ url: full.url, folder: to })).rejects.toThrow(/is not empty\. Name a new folder/);
  });
});

describe('a restore', () => {
  it('is refused by a database in use, of a newer backup, and of a damaged one, with nothing changed', async () => {
    useHome('home');
    const to = path.join(folder, 'refused');
    await backup({ url: full.url, folder: to });
    await expect(restore({ url: full.url, folder: to })).rejects.toThrow(/is in use: its database has rows \(Run\)/);
    useHome('restored-refused');
    const manifest = readManifest(to);
    writeManifest(to, { ...manifest, migrations: [...manifest.migrations, { name: '29990101000000_new', checksum: '0'.repeat(64) }] });
    await expect(restore({ url: empty.url, folder: to })).rejects.toThrow(
      /has migration 29990101000000_new, which this version does not know/,
    );
    writeManifest(to, manifest);
    const study = backupFiles(to).table('Study');
    const text = readFileSync(study, 'utf8');
    writeFileSync(study, text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
    await expect(restore({ url: empty.url, folder: to })).rejects.toThrow(/Study\.copy is not the file that the backup wrote/);
    expect(await empty.prisma.study.count()).toBe(0);
    expect(await migrate(empty.url)).toEqual([]);
    writeFileSync(study, text);
    await restore({ url: empty.url, folder: to });
    expect(await empty.prisma.study.count()).toBe(await full.prisma.study.count());
  });
});

describe('the backup before a migration', () => {
  it('holds the rows of the older version, which this version restores and brings up to date', async () => {
    const home = useHome('older');
    const older = readMigrations().slice(0, -1);
    const migrations = path.join(folder, 'migrations');
    for (const { name, sql } of older) {
      mkdirSync(path.join(migrations, name), { recursive: true });
      writeFileSync(path.join(migrations, name, 'migration.sql'), sql);
    }
    const client = new pg.Client({ connectionString: empty.url });
    await client.connect();
    await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    await migrate(empty.url, { folder: migrations });
    await client.query(`INSERT INTO "Study" (id, "studyInstanceUid") VALUES ('one', '1.2.3')`);
    const to = path.join(home, 'before');
    const beforeChange = (connection: pg.Client): Promise<void> => backupDatabase(connection, to);
    expect(await migrate(empty.url, { beforeChange })).toHaveLength(1);
    await client.end();
    expect(readManifest(to)).toMatchObject({ files: null, migrations: older.map(({ name }) => ({ name })) });
    const fresh = await testDatabase();
    try {
      expect(await restore({ url: fresh.url, folder: to })).toMatchObject({ rows: 1, runs: 0 });
      expect(await fresh.prisma.study.findMany()).toMatchObject([{ id: 'one', studyInstanceUid: '1.2.3' }]);
      expect(existsSync(path.join(home, 'objects'))).toBe(false);
    } finally {
      await fresh.drop();
    }
  });
});
