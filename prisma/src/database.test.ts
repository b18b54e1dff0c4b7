import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { databaseInfo, ensureDatabase } from './database.ts';
import { readMigrations } from './migrate.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});

afterEach(() => vi.unstubAllEnvs());
afterAll(() => database?.drop());

describe('ensureDatabase', () => {
  it('takes DATABASE_URL where it is set, and migrates what it finds there', async () => {
    await database.prisma.$executeRaw`DROP SCHEMA public CASCADE`;
    await database.prisma.$executeRaw`CREATE SCHEMA public`;
    vi.stubEnv('DATABASE_URL', database.url);
    expect(await ensureDatabase()).toBe(database.url);
    expect(await database.prisma.run.count()).toBe(0);
    const known = readMigrations().length;
    const info = await databaseInfo(database.url);
    expect(info).toMatchObject({ source: 'DATABASE_URL', version: expect.stringMatching(/^18/), migrations: { applied: known, known } });
    expect(info.address).not.toContain('postgres:');
  });

  it('says in one sentence that the server does not answer', async () => {
    vi.stubEnv('DATABASE_URL', 'postgresql://someone:secret@127.0.0.1:9/none');
    const refused = ensureDatabase();
    await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.not.stringContaining('secret') });
  });
});
