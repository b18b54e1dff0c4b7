import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FileLock, tryLockFile } from '@cxr-lens/data/file-lock';

const PATIENCE_MS = 120_000;
const LOOK_MS = 50;

/** Takes the lock of a file, or returns null while another process has it, on this machine or in any container that shares the file. */
export function tryLock(file: string): FileLock | null {
  mkdirSync(path.dirname(file), { recursive: true });
  return tryLockFile(file);
}

/** Does `work` while no other process does anything under the same lock. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const lock = tryLock(file);
    if (lock) {
      try {
        return await work();
      } finally {
        lock.release();
      }
    }
    if (Date.now() > deadline) throw new Error(`another process has been busy with it for ${PATIENCE_MS / 1000} seconds`);
    await sleep(LOOK_MS);
  }
}

/** Whether some process holds the lock. */
export function isLocked(file: string): boolean {
  if (!existsSync(file)) return false;
  const lock = tryLockFile(file);
  lock?.release();
  return lock === null;
}
