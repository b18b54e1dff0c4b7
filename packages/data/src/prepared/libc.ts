import koffi from 'koffi';

const libc = koffi.load(null);
const flock = libc.func('int flock(int fd, int operation)');

const LOCK_EXCLUSIVE = 2;
const LOCK_EXCLUSIVE_NOW = 2 | 4;

/** Takes the file for this process alone, until it closes it or dies; false when another process holds it. */
export function lockFile(fd: number): boolean {
  return flock(fd, LOCK_EXCLUSIVE_NOW) === 0;
}

/** The same, waiting for its turn; a folder can be locked as well. For what takes milliseconds: the thread waits. */
export function waitForLock(fd: number): void {
  flock(fd, LOCK_EXCLUSIVE);
}
