import koffi from 'koffi';

const libc = koffi.load(null);
const flock = libc.func('int flock(int fd, int operation)');

const LOCK_EXCLUSIVE_NOW = 2 | 4;

/** Takes the file for this process alone, until it closes it or dies; false when another process holds it. */
export function lockFile(fd: number): boolean {
  return flock(fd, LOCK_EXCLUSIVE_NOW) === 0;
}
