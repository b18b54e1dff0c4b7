import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it, type TestContext, vi } from 'vitest';
import { renameDurable, writeDurableSync } from './durable.ts';
import { putObject } from './objects.ts';
import { type Disk, mountDisk } from './tests/disk.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const step of undo.splice(0)) step();
});

/** Skips the test with the reason where this machine has no such disks. */
function makeDisk(ctx: TestContext): Disk {
  try {
    const disk = mountDisk();
    undo.push(disk.unmount);
    return disk;
  } catch (error) {
    return ctx.skip((error as Error).message);
  }
}

/** How many of the files are whole below a folder. */
function whole(folder: string, files: ReadonlyMap<string, string>): number {
  return [...files].filter(([name, text]) => existsSync(path.join(folder, name)) && readFileSync(path.join(folder, name), 'utf8') === text)
    .length;
}

const text = (i: number): string => `file ${i} `.repeat(500);

it('takes none of 50 objects that were acknowledged, one after the other and at once', async (ctx) => {
  const disk = makeDisk(ctx);
  vi.stubEnv('CXR_HOME', path.join(disk.folder, 'home'));
  const files = new Map<string, string>();
  const put = async (i: number): Promise<void> => {
    const key = await putObject(Buffer.from(text(i)));
    files.set(`home/objects/${key.slice(0, 2)}/${key}`, text(i));
  };
  for (let i = 0; i < 25; i++) await put(i);
  await Promise.all(Array.from({ length: 25 }, (_, i) => put(25 + i)));
  expect([files.size, whole(disk.cut(), files)]).toEqual([50, 50]);
});

it('takes no file of a run folder and no prepared file that was finished', async (ctx) => {
  const disk = makeDisk(ctx);
  const names = ['runs/r/run.json', 'runs/r/evaluation/d/auc.json', 'runs/r/run.json'];
  for (const name of names) writeDurableSync(path.join(disk.folder, name), text(1));
  const partial = path.join(disk.folder, 'data.cxr.partial');
  writeFileSync(partial, text(1), { flush: true });
  await renameDurable(partial, path.join(disk.folder, 'data/data.cxr'));
  const files = new Map([...names, 'data/data.cxr'].map((name) => [name, text(1)]));
  expect(whole(disk.cut(), files)).toBe(files.size);
});

it('takes files that were only written and renamed: so that the tests above can fail', (ctx) => {
  const disk = makeDisk(ctx);
  const files = new Map(Array.from({ length: 50 }, (_, i) => [`${i}`, text(i)]));
  for (const [name, content] of files) writeFileSync(path.join(disk.folder, name), content);
  expect(whole(disk.cut(), files)).toBeLessThan(50);
});
