import fs from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from './tests/small-folder.ts';

type Durable = typeof import('./durable.ts');

/** The module anew, and what it does to the disk in order: `flush` of a file or folder, `rename` to a name; paths below `root`. */
async function watched(): Promise<{ durable: Durable; root: string; done: string[] }> {
  const root = await temporaryFolder();
  const done: string[] = [];
  const short = (file: unknown): string =>
    path
      .relative(root, String(file))
      .replace(/\.\d+\.tmp$/, '.tmp')
      .replace(/^$/, '.');
  vi.resetModules();
  vi.doMock('node:fs/promises', () => ({
    ...fs,
    open: async (file: string, flags: string) => {
      const handle = await fs.open(file, flags);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        done.push(`flush ${short(file)}`);
        await sync();
        done.push(`flushed ${short(file)}`);
      };
      return handle;
    },
    writeFile: async (file: string, bytes: Uint8Array, options?: { flush?: boolean }) => {
      await fs.writeFile(file, bytes, options);
      done.push(`write ${short(file)}${options?.flush ? ', flushed' : ''}`);
    },
    rename: async (from: string, to: string) => {
      await fs.rename(from, to);
      done.push(`rename ${short(to)}`);
    },
  }));
  return { durable: await import('./durable.ts'), root, done };
}

describe('writeDurable', () => {
  beforeEach(() => () => {
    vi.doUnmock('node:fs/promises');
    vi.resetModules();
  });
  const inside = (lines: readonly string[]): string[] => lines.filter((line) => !line.includes('..') && !line.startsWith('flushed'));

  it('flushes new folders into those above, then the bytes, then the name', async () => {
    const { durable, root, done } = await watched();
    await durable.writeDurable(path.join(root, 'a/b/c'), 'bytes');
    expect(inside(done)).toEqual(['flush a', 'flush .', 'write a/b/c.tmp, flushed', 'rename a/b/c', 'flush a/b']);
    expect(await fs.readFile(path.join(root, 'a/b/c'), 'utf8')).toBe('bytes');
    done.length = 0;
    await durable.writeDurable(path.join(root, 'a/b/d'), 'bytes');
    expect(inside(done)).toEqual(['write a/b/d.tmp, flushed', 'rename a/b/d', 'flush a/b']);
  });

  it('flushes the folders above that another process made, and one that was removed and made anew', async () => {
    const { durable, root, done } = await watched();
    await fs.mkdir(path.join(root, 'a/b'), { recursive: true });
    await durable.writeDurable(path.join(root, 'a/b/c'), 'bytes');
    await fs.rm(path.join(root, 'a'), { recursive: true });
    await durable.writeDurable(path.join(root, 'a/b/c'), 'bytes');
    expect(inside(done).filter((line) => line === 'flush a' || line === 'flush .')).toEqual(['flush a', 'flush .', 'flush a', 'flush .']);
  });

  it('shares flushes of a folder among many files, each of them after the rename', async () => {
    const { durable, root, done } = await watched();
    await durable.writeDurable(path.join(root, 'a/first'), '');
    done.length = 0;
    const acknowledged = Array.from({ length: 40 }, async (_, i) => {
      await durable.writeDurable(path.join(root, 'a', `${i}`), 'bytes');
      const renamed = done.indexOf(`rename a/${i}`);
      const flush = done.indexOf('flush a', renamed);
      expect([renamed, flush, done.indexOf('flushed a', flush)].every((at) => at >= 0)).toBe(true);
    });
    await Promise.all(acknowledged);
    expect(done.filter((line) => line === 'flush a').length).toBeLessThan(40);
  });

  it('flushes bytes and name of a verified file after it has its name', async () => {
    const { durable, root, done } = await watched();
    await durable.makeFolder(path.join(root, 'a'));
    done.length = 0;
    await durable.writeVerified(path.join(root, 'a/b'), Buffer.from('bytes'), path.join(root, 'parts/x'));
    expect(inside(done)).toEqual(['write parts/x', 'rename a/b', 'flush a/b', 'flush a']);
    await expect(durable.writeVerified(path.join(root, 'parts'), Buffer.from('bytes'), path.join(root, 'x'))).rejects.toThrow();
    expect(await fs.readdir(root)).toEqual(['a', 'parts']);
  });

  it('leaves the file that was there and nothing else where it fails', async () => {
    const { durable, root } = await watched();
    const file = path.join(root, 'file');
    await durable.writeDurable(file, 'before');
    await fs.mkdir(path.join(root, 'folder/inside'), { recursive: true });
    await expect(durable.writeDurable(path.join(root, 'folder'), 'bytes')).rejects.toMatchObject({ code: /EISDIR|ENOTEMPTY/ });
    expect(() => durable.writeDurableSync(path.join(root, 'folder'), 'bytes')).toThrow(/EISDIR|ENOTEMPTY/);
    durable.writeDurableSync(file, 'after');
    expect([await fs.readFile(file, 'utf8'), (await fs.readdir(root)).sort()]).toEqual(['after', ['file', 'folder']]);
  });
});
