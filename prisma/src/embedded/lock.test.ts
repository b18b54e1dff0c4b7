import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lockDescriptor } from '@cxr-lens/data/file-lock';
import { afterAll, describe, expect, it } from 'vitest';
import { isLocked, tryLock, withLock } from './lock.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a lock on a file', () => {
  it('is held once, and one on another file is another lock', async () => {
    const lock = tryLock(path.join(folder, 'new/a'));
    expect(lock).not.toBeNull();
    expect(tryLock(path.join(folder, 'new/a'))).toBeNull();
    expect(isLocked(path.join(folder, 'new/a'))).toBe(true);
    expect(isLocked(path.join(folder, 'new/b'))).toBe(false);
    setTimeout(() => lock!.release(), 100);
    expect(await withLock(path.join(folder, 'new/a'), async () => 'mine')).toBe('mine');
  });

  it('is held on by a child that inherited it, until the child is gone', async () => {
    const file = path.join(folder, 'inherited');
    const lock = tryLock(file)!;
    const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', lock.fd] });
    lock.release();
    expect(isLocked(file)).toBe(true);
    child.kill('SIGKILL');
    await expect.poll(() => isLocked(file)).toBe(false);
  });

  it('is not taken through a file that was replaced meanwhile', () => {
    const file = path.join(folder, 'replaced');
    const lock = tryLock(file)!;
    rmSync(file);
    const other = tryLock(file);
    expect(other).not.toBeNull();
    for (const held of [lock, other!]) held.release();
  });

  it('says why the system refuses', () => {
    const fd = openSync(path.join(folder, 'closed'), 'a');
    closeSync(fd);
    expect(() => lockDescriptor(fd, 'closed')).toThrow(/^closed cannot be locked: the system refuses with errno 9/);
  });
});
