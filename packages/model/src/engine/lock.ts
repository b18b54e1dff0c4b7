import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const BEAT_MS = 2_000;
const STALE_MS = 30_000;

/**
 * Runs `task` while holding the lock file; waits as long as another process holds it, telling `onWait` once.
 * The holder touches the file, so that one left by kill -9 is taken over after 30 s. Two holders can only come of a process
 * that was suspended for longer: what is locked must bear that.
 */
export async function withLock<T>(file: string, onWait: () => void, task: () => Promise<T>): Promise<T> {
  for (let waited = false; !acquire(file); waited = true) {
    if (!waited) onWait();
    await setTimeout(BEAT_MS / 4);
  }
  const beat = setInterval(() => utimesSync(file, new Date(), new Date()), BEAT_MS);
  try {
    return await task();
  } finally {
    clearInterval(beat);
    rmSync(file, { force: true });
  }
}

function acquire(file: string): boolean {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const touched = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (touched !== undefined && Date.now() - touched > STALE_MS) rmSync(file, { force: true });
  return false;
}
