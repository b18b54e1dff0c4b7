import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it, type TestContext, vi } from 'vitest';
import { renameDurable, writeDurableSync } from './durable.ts';
import { putObject } from './objects.ts';

// A file system in a file: what it holds at one moment, without what the kernel has not written back, is what a power cut leaves.

const undo: (() => void)[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const step of undo.splice(0).reverse()) step();
});

interface Disk {
  /** Where it is mounted. */
  folder: string;
  /** Cuts the power; a folder with what is left. */
  cut(): string;
}

/** Needs root and loop devices: the test is skipped with the reason where they are missing. */
function makeDisk(ctx: TestContext): Disk {
  const root = mkdtempSync(path.join(tmpdir(), 'cxr-power-'));
  undo.push(() => rmSync(root, { recursive: true, force: true }));
  const [image, folder, left] = ['disk.img', 'mounted', 'left'].map((name) => path.join(root, name)) as [string, string, string];
  const mount = (file: string, at: string): void => {
    mkdirSync(at);
    execFileSync('mount', ['-o', 'loop', file, at], { stdio: 'pipe' });
    undo.push(() => execFileSync('umount', ['-l', at]));
  };
  try {
    writeFileSync(image, '');
    truncateSync(image, 64 * 2 ** 20);
    execFileSync('mkfs.ext4', ['-q', '-F', image], { stdio: 'pipe' });
    mount(image, folder);
  } catch (error) {
    ctx.skip(`a loop mount needs root and mkfs.ext4: ${(error as Error).message.split('\n').at(-1)}`);
  }
  return {
    folder,
    cut() {
      copyFileSync(image, `${image}.cut`);
      mount(`${image}.cut`, left);
      return left;
    },
  };
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
