import { expect, it } from 'vitest';
import { isLocked, tryLock, withLock } from './lock.ts';

it('a lock may have a name of any length, and its end tells two names apart', async () => {
  const home = `/tmp/${'h'.repeat(150)}/${process.pid}`;
  const lock = await tryLock(`${home}/a`);
  expect(lock).not.toBeNull();
  expect(await tryLock(`${home}/a`)).toBeNull();
  expect(await isLocked(`${home}/b`)).toBe(false);
  setTimeout(() => lock!.release(), 100);
  expect(await withLock(`${home}/a`, async () => 'mine')).toBe('mine');
});
