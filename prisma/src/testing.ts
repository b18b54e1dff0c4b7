import { createHash, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { PrismaClient } from '../generated/client/client.ts';
import { createPrisma } from './client.ts';
import { ADMINISTRATION, ensureEmbedded } from './embedded/embedded.ts';
import { withLock } from './embedded/lock.ts';
import { processStat } from './embedded/processes.ts';
import { installQueues } from './jobs/queues.ts';
import { migrate, readMigrations } from './migrate.ts';

export interface TestDatabase {
  url: string;
  prisma: PrismaClient;
  /** For `afterAll`. */
  drop(): Promise<void>;
}

/** Every clone of the project has a test server of its own, kept between runs and never flushed to disk. */
const HOME = path.join(
  tmpdir(),
  `cxr-lens-test-${createHash('sha256')
    .update(import.meta.dirname)
    .digest('hex')
    .slice(0, 12)}`,
  'postgres',
);

/** A migrated database of the test file's own, copied from a template in some 50 ms, on a shared embedded server. */
export async function testDatabase(): Promise<TestDatabase> {
  const admin = new pg.Client({ connectionString: await ensureEmbedded(HOME, { database: ADMINISTRATION, fast: true }) });
  await admin.connect();
  const name = `test_${process.pid}_${processStat(process.pid)!.startTime}_${randomUUID().slice(0, 8)}`;
  await withLock(path.join(HOME, 'template.lock'), async () => {
    await dropAbandoned(admin);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${await ensureTemplate(admin)}`);
  });
  const url = databaseOf(admin, name);
  const prisma = createPrisma(url);
  const drop = async (): Promise<void> => {
    await prisma.$disconnect();
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.end();
  };
  return { url, prisma, drop };
}

/** The template for today's migrations and queues; those of other days are dropped. */
async function ensureTemplate(admin: pg.Client): Promise<string> {
  const checksums = readMigrations().map(({ checksum }) => checksum);
  const template = `template_${createHash('sha256').update(checksums.join()).digest('hex').slice(0, 16)}`;
  const { rows } = await admin.query<{ datname: string }>(`SELECT datname FROM pg_database WHERE datname LIKE 'template\\__%'`);
  const names = rows.map(({ datname }) => datname).filter((datname) => !/^template[01]$/.test(datname));
  if (names.includes(template)) return template;
  for (const old of names) await admin.query(`DROP DATABASE IF EXISTS ${old} WITH (FORCE)`);
  const making = `making_${template}`;
  await admin.query(`DROP DATABASE IF EXISTS ${making} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${making}`);
  await migrate(databaseOf(admin, making));
  await installQueues(databaseOf(admin, making));
  await admin.query(`ALTER DATABASE ${making} RENAME TO ${template}`);
  return template;
}

/** Databases of test processes that ended without `drop`. */
async function dropAbandoned(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>(`SELECT datname FROM pg_database WHERE datname LIKE 'test\\__%'`);
  for (const { datname } of rows) {
    const [, pid, startTime] = datname.split('_');
    if (processStat(Number(pid))?.startTime !== startTime) await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
  }
}

function databaseOf(admin: pg.Client, name: string): string {
  return `postgresql://postgres:${admin.password}@${admin.host}:${admin.port}/${name}`;
}
