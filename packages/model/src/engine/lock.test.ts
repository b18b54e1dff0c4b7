import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { withLock } from './lock.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('lets one task in at a time, tells the other that it waits, and is gone at the end', async () => {
  const file = path.join(folder, 'a.lock');
  const order: string[] = [];
  let waited = 0;
  const task = (name: string) =>
    withLock(
      file,
      () => {
        waited += 1;
      },
      async () => {
        order.push(`${name} in`);
        await setTimeout(50);
        order.push(`${name} out`);
      },
    );
  await Promise.all([task('first'), task('second')]);
  expect(order).toEqual(['first in', 'first out', 'second in', 'second out']);
  expect(waited).toBe(1);
  expect(existsSync(file)).toBe(false);
});

it('takes over what a killed process left, and gives way when the task fails', async () => {
  const file = path.join(folder, 'b.lock');
  writeFileSync(file, '1\n');
  utimesSync(file, new Date(0), new Date(0));
  await expect(
    withLock(
      file,
      () => {},
      () => Promise.reject(new Error('failed')),
    ),
  ).rejects.toThrow('failed');
  expect(readdirSync(folder)).toEqual([]);
});
