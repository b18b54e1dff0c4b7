import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cxrHome } from '@cxr-lens/data';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { noisePng, startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
let mounted = false;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  if (mounted) execFileSync('umount', ['-l', cxrHome()]);
  await api.stop();
});

const SMALL_DISK = 20 * 2 ** 20;

it('refuses uploads with 507 on a disk that is nearly full, leaves nothing behind, and takes them when there is space', async (ctx) => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK}`, 'tmpfs', cxrHome()], { stdio: 'pipe' });
    mounted = true;
  } catch (error) {
    ctx.skip(`a small disk is a mount, which needs root: ${(error as Error).message.split('\n').at(-1)}`);
  }
  const filler = path.join(cxrHome(), 'filler');
  const fill = (leave: number): void => {
    const { bavail, bsize } = statfsSync(cxrHome());
    writeFileSync(filler, Buffer.alloc(bavail * bsize - leave));
  };
  let seed = 0;
  const upload = async (): Promise<number> => {
    const body = new Uint8Array(await noisePng(++seed, 256));
    return (await fetch(`${api.url}/studies`, { method: 'POST', headers: { 'content-type': 'image/png' }, body })).status;
  };
  expect(await upload()).toBe(200);
  // Less than 5 % are free, though every one of these uploads would fit.
  fill(SMALL_DISK / 25);
  expect(await Promise.all(Array.from({ length: 10 }, upload))).toEqual(Array(10).fill(507));
  expect(readdirSync(path.join(cxrHome(), 'objects/unfinished'))).toEqual([]);
  expect(await api.prisma.image.count()).toBe(1);
  rmSync(filler);
  expect(await upload()).toBe(200);
});
