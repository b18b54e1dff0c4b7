import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerRun } from '../register/run.ts';
import { type TestDatabase, testDatabase } from '../testing.ts';
import { backupFiles, readManifest } from './manifest.ts';
import { restore } from './restore.ts';
import { loadTables } from './tables.ts';

/**
 * A database that 0.1.0 (35ac7ea) made: a Baseline trained for one epoch on 200 phantoms, evaluated and registered, and one upload that it
 * explained; and the run's folder without its weights. Dumped by `backupDatabase`, its CXR_HOME renamed to /srv/cxr-lens.
 */
const FIXTURE = path.resolve(import.meta.dirname, '../tests/home-0.1.0');

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-upgrade-'));
const { CXR_HOME } = process.env;
let database: TestDatabase;

beforeAll(async () => {
  process.env['CXR_HOME'] = path.join(folder, 'home');
  database = await testDatabase();
  await restore({ url: database.url, folder: FIXTURE });
});

afterAll(async () => {
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
  if (CXR_HOME === undefined) delete process.env['CXR_HOME'];
  else process.env['CXR_HOME'] = CXR_HOME;
});

async function everything() {
  const { prisma } = database;
  const run = await prisma.run.findUniqueOrThrow({
    where: { id: 'old-baseline' },
    include: { epochs: true, dataSet: true, evaluations: { include: { auc: true, localization: { include: { points: true } } } } },
  });
  const study = await prisma.study.findFirstOrThrow({
    include: { images: { include: { explanations: true, jobs: { include: { events: true } } } } },
  });
  return { run, study };
}

function isWhole({ run, study }: Awaited<ReturnType<typeof everything>>): void {
  expect(run).toMatchObject({ state: 'FINISHED', active: true, method: 'baseline', dataSet: { name: 'phantom', size: 96 } });
  expect(run.epochs).toHaveLength(1);
  const [evaluation] = run.evaluations;
  expect(evaluation!.auc).toHaveLength(14);
  expect(evaluation!.localization.flatMap(({ points }) => points).length).toBeGreaterThan(100);
  const [image] = study.images;
  expect(image!.explanations).toHaveLength(14);
  expect(image!.jobs).toMatchObject([{ kind: 'EXPLAIN', state: 'DONE' }]);
}

describe('a database of 0.1.0', () => {
  it('is brought up to date with every row', async () => {
    isWhole(await everything());
  });

  it('takes the run of 0.1.0 from its folder, wherever it lies now', async () => {
    const runs = path.join(folder, 'runs/old-baseline');
    cpSync(path.join(FIXTURE, 'run'), runs, { recursive: true });
    expect(await registerRun(database.prisma, runs)).toMatchObject({ id: 'old-baseline', state: 'FINISHED', path: runs, active: true });
    isWhole(await everything());
  });

  it('takes what a worker of 0.1.0 still writes, which knows no newer column', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const { tables } = readManifest(FIXTURE);
      await client.query(`TRUNCATE ${tables.map(({ name }) => `"${name}"`).join(', ')}`);
      await loadTables(client, tables, backupFiles(FIXTURE).table);
    } finally {
      await client.end();
    }
    isWhole(await everything());
  });
});
