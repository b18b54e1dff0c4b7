import { testDatabase } from '@cxr-lens/prisma';
import { afterEach, expect, it, vi } from 'vitest';
import { main } from '../main.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it('register says in one sentence what is no run folder, with exit code 2', async () => {
  const database = await testDatabase();
  try {
    vi.stubEnv('DATABASE_URL', database.url);
    const errors = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await main(['register', '/nowhere'])).toBe(2);
    expect(errors.mock.calls.at(-1)![0]).toBe('NOT_FOUND: /nowhere is no run folder: it has no run.json.\n');
  } finally {
    await database.drop();
  }
});
