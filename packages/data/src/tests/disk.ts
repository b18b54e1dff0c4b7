import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file system in a file: what it holds at one moment, without what the kernel has not written back, is what a power cut leaves. */
export interface Disk {
  /** Where it is mounted. */
  folder: string;
  /** Cuts the power; a folder with what is left. */
  cut(): string;
  unmount(): void;
}

/** An ext4 of 64 MiB. Throws with the reason where root, loop devices or mkfs.ext4 are missing. */
export function mountDisk(): Disk {
  const root = mkdtempSync(path.join(tmpdir(), 'cxr-power-'));
  const undo = [(): void => rmSync(root, { recursive: true, force: true })];
  const unmount = (): void => {
    for (const step of undo.splice(0).reverse()) step();
  };
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
    unmount();
    throw new Error(`a loop mount needs root and mkfs.ext4: ${(error as Error).message.split('\n').at(-1)}`);
  }
  return {
    folder,
    cut() {
      copyFileSync(image, `${image}.cut`);
      mount(`${image}.cut`, left);
      return left;
    },
    unmount,
  };
}
