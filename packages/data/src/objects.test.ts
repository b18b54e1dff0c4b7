import { createHash } from 'node:crypto';
import { readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { cxrHome } from './home.ts';
import { deleteObject, getObject, listObjects, putObject } from './objects.ts';
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

  it.each([
    ['changed', (file: string) => writeFile(file, 'bytez')],
    ['cut off', (file: string) => writeFile(file, '')],
    ['deleted', (file: string) => rm(file)],
    ['no longer a file that can be read', (file: string) => rm(file).then(() => symlink(file, file))],
  ])('are written anew when the same bytes come again and those there are %s', async (_, harm) => {
    const key = await putObject(Buffer.from('bytes'));
    await harm(path.join(cxrHome(), 'objects', key.slice(0, 2), key));
    expect(await putObject(Buffer.from('bytes'))).toBe(key);
    expect(Buffer.from(await getObject(key)).toString()).toBe('bytes');
  });

  it('are listed with what was left unfinished, and without what is neither', async () => {
    const key = await putObject(Buffer.from('bytes'));
    for (const name of ['unfinished/part', `${key.slice(0, 2)}/notes.txt`, 'unfinished.txt'])
      await writeFile(path.join(cxrHome(), 'objects', name), '12345678');
    const listed: [string | null, number][] = [];
    for await (const found of listObjects()) listed.push([found.key, found.bytes]);
    expect(listed.sort()).toEqual(
      [
        [null, 8],
        [key, 5],
      ].sort(),
    );
  });

  it.each(['', '../../etc/passwd', 'ABC'])('refuse the key "%s"', async (key) => {
    await expect(getObject(key)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});
