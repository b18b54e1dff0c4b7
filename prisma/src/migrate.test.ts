import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schemaDifference } from './dev/schema-engine.ts';
import { MIGRATIONS, migrate, readMigrations } from './migrate.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await testDatabase();
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'cxr-lens-migrations-')), 'migrations');
  cpSync(MIGRATIONS, folder, { recursive: true });
});

afterAll(async () => {
  await database?.drop();
  rmSync(path.dirname(folder), { recursive: true, force: true });
});

function addMigration(name: string, sql: string): void {
  mkdirSync(path.join(folder, name), { recursive: true });
  writeFileSync(path.join(folder, name, 'migration.sql'), sql);
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

describe('migrations', () => {
  it('make exactly what schema.prisma says', async () => {
    expect(await schemaDifference()).toBe('');
  });

  it('are applied once and noted as Prisma notes them', async () => {
    expect(await migrate(database.url)).toEqual([]);
    const rows = await query('SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS done FROM _prisma_migrations ORDER BY 1');
    expect(rows).toEqual(readMigrations().map(({ name, checksum }) => ({ name, checksum, done: true })));
  });

  it('are undone as a whole when one statement fails, and tried again', async () => {
    addMigration('29990101000000_two', 'CREATE TABLE half (id int); SELECT no_such_function();');
    await expect(migrate(database.url, { folder })).rejects.toThrow(/29990101000000_two failed and was undone: .*no_such_function/);
    expect(await query(`SELECT to_regclass('half') AS half`)).toEqual([{ half: null }]);
    addMigration('29990101000000_two', 'CREATE TABLE half (id int);');
    const both = await Promise.all([migrate(database.url, { folder }), migrate(database.url, { folder })]);
    expect(both.flat()).toEqual(['29990101000000_two']);
  });

  it('refuse a history that is not theirs', async () => {
    await expect(migrate(database.url)).rejects.toThrow(/has migration 29990101000000_two, which this version does not know/);
    addMigration('29990101000000_two', 'CREATE TABLE half (id bigint);');
    await expect(migrate(database.url, { folder })).rejects.toThrow(/29990101000000_two was edited after it was applied/);
  });

  it('name the server that does not answer', async () => {
    const url = 'postgresql://nobody:secret@127.0.0.1:9/none';
    await expect(migrate(url)).rejects.toThrow(
      /^The database at 127.0.0.1:9\/none does not answer: .*ECONNREFUSED.* Check DATABASE_URL\.$/,
    );
  });
});
