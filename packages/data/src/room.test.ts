import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { roomIn } from './room.ts';
import { temporaryFolder } from './tests/small-folder.ts';

vi.mock('node:fs/promises', { spy: true });

it.each([
  // A large disk keeps 256 MiB, a small one 5 %.
  [{ blocks: 1000, bavail: 300, bsize: 2 ** 30 }, 300 * 2 ** 30 - 2 ** 28],
  [{ blocks: 1000, bavail: 0, bsize: 2 ** 30 }, -(2 ** 28)],
  [{ blocks: 1000, bavail: 60, bsize: 1024 }, 10 * 1024],
])('is what is free without the reserve: %j', async (disk, room) => {
  vi.mocked(statfs).mockResolvedValueOnce(disk as Awaited<ReturnType<typeof statfs>>);
  expect(await roomIn(['/somewhere'])).toBe(room);
});

it('is the least of all folders, and that of the folder above one that is not there', async () => {
  const folder = await temporaryFolder();
  const [here, missing] = [await roomIn([folder]), await roomIn([path.join(folder, 'not/there')])];
  expect(Math.abs(here - missing)).toBeLessThan(2 ** 30);
  const full = { blocks: 1000, bavail: 0, bsize: 1024 } as Awaited<ReturnType<typeof statfs>>;
  vi.mocked(statfs).mockResolvedValueOnce(full);
  expect(await roomIn([folder, folder])).toBe(-51_200);
});
