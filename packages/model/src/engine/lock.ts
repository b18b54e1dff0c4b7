import { randomUUID } from 'node:crypto';
import { linkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const BEAT_MS = 2_000;
const STALE_MS = 30_000;

/**
 * Runs `task` while holding the lock file; waits as long as another process holds it, telling `onWait` once.
 * The holder touches the file, so that one left by kill -9 is taken over after 30 s. Two holders are possible only after such a time
 * without a touch (a suspended process, a clock set forward, three waiters at one stale file): what is locked must bear that.
 */
export async function withLock<T>(file: string, onWait: () => void, task: () => Promise<T>): Promise<T> {
  for (let waited = false; !acquire(file); waited = true) {
    if (!waited) onWait();
    await setTimeout(BEAT_MS / 4);
  }
  const beat = setInterval(() => touch(file), BEAT_MS);
  try {
    return await task();
  } finally {
    clearInterval(beat);
    rmSync(file, { force: true });
  }
}

function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // taken over or deleted by hand: the task goes on, and what is locked bears it
  }
}

function acquire(file: string): boolean {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (isStale(file)) putAside(file);
  return false;
}

function isStale(file: string): boolean {
  const touched = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return touched !== undefined && Date.now() - touched > STALE_MS;
}

/** Only one of several waiters gets the stale file; one that finds it has moved a new holder's gives it back. */
function putAside(file: string): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
    if (!isStale(aside)) linkSync(aside, file);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
