import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import koffi from 'koffi';
import { CxrError } from './error.ts';

// An entry of its own: it loads one small library, not the image decoders of the rest of this package.
const flock = koffi.load(null).func('int flock(int fd, int operation)');

const LOCK_EXCLUSIVE = 2;
const LOCK_EXCLUSIVE_NOW = LOCK_EXCLUSIVE | 4;

/** A lock on a file. The kernel releases it when the last process that has the descriptor closes it or dies. */
export interface FileLock {
  /** A child that inherits this descriptor holds the lock too. */
  fd: number;
  release(): void;
}

/**
 * Locks an open file for this process alone, until it closes it or dies; false while another process holds it. The lock is seen by every
 * process that reaches the file, also from another container.
 * @throws CxrError UNSUPPORTED where the file system cannot lock, UNAVAILABLE for any other refusal
 */
export function lockDescriptor(fd: number, where: string): boolean {
  if (flock(fd, LOCK_EXCLUSIVE_NOW) === 0) return true;
  const reason = koffi.errno();
  const { EWOULDBLOCK, EINTR, ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL } = constants.errno;
  if (reason === EWOULDBLOCK) return false;
  if (reason === EINTR) return lockDescriptor(fd, where);
  if ([ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL].includes(reason)) {
    throw new CxrError(
      'UNSUPPORTED',
      `${where} cannot be locked: its file system has no file locks (errno ${reason}), so two processes could destroy each other's work. Use a local disk, or mount the network file system with locks.`,
    );
  }
  throw new CxrError('UNAVAILABLE', `${where} cannot be locked: the system refuses with errno ${reason}.`);
}

/**
 * The same, waiting for its turn; a folder can be locked as well. For what takes milliseconds: the thread waits. A file system that cannot
 * lock makes nobody wait.
 */
export function waitForLock(fd: number): void {
  while (flock(fd, LOCK_EXCLUSIVE) !== 0 && koffi.errno() === constants.errno.EINTR);
}

/** Takes the lock of a file, which is made where it is absent; null while another process holds it. Errors as `lockDescriptor`. */
export function tryLockFile(file: string): FileLock | null {
  const fd = openSync(file, 'a', 0o600);
  const release = (): void => closeSync(fd);
  try {
    // A file that was replaced between opening and locking is no longer the one that others lock.
    if (lockDescriptor(fd, path.resolve(file)) && statSync(file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino)
      return { fd, release };
  } catch (error) {
    release();
    throw error;
  }
  release();
  return null;
}
