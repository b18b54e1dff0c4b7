import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { cxrHome } from './home.ts';
import { deleteObject, getObject, putObject } from './objects.ts';
import { temporaryFolder } from './tests/small-folder.ts';

describe('objects', () => {
  beforeEach(async () => {
    vi.stubEnv('CXR_HOME', await temporaryFolder());
    return () => vi.unstubAllEnvs();
  });

  it('come back under the SHA-256 of their bytes, stored once', async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    const key = await putObject(bytes);
    expect(key).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await Promise.all([putObject(bytes), putObject(bytes)])).toEqual([key, key]);
    expect(Buffer.compare(await getObject(key), bytes)).toBe(0);
    expect(await readdir(path.join(cxrHome(), 'objects', key.slice(0, 2)))).toEqual([key]);
    expect(await readdir(path.join(cxrHome(), 'objects', 'unfinished'))).toEqual([]);
  });

  it('are gone after they are deleted, and deleting again is no error', async () => {
    const key = await putObject(Buffer.from('bytes'));
    await deleteObject(key);
    await deleteObject(key);
    await expect(getObject(key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are CORRUPT when a byte changed', async () => {
    const key = await putObject(Buffer.from('bytes'));
    await writeFile(path.join(cxrHome(), 'objects', key.slice(0, 2), key), 'bytez');
    await expect(getObject(key)).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  it.each(['', '../../etc/passwd', 'ABC'])('refuse the key "%s"', async (key) => {
    await expect(getObject(key)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});
