import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openPrepared, type PrepareResult, writePhantom } from '@cxr-lens/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';

let home: string;
let folder: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'cxr-lens-prepare-'));
  folder = path.join(home, 'phantom');
  await writePhantom({ folder, images: 20, seed: 3, size: 32 });
});

afterAll(() => rm(home, { recursive: true, force: true }));

const run = (...args: string[]): ReturnType<typeof runCli> => runCli('prepare', ...args);

describe('cxr-lens prepare', () => {
  it('writes a prepared file and says what is in it', async () => {
    const out = path.join(home, 'a.cxr');
    const { code, stdout, stderr } = await run(folder, '--out', out, '--size', '24');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/a\.cxr: 20 synthetic images \(\d+ training, \d+ validation, \d+ test\)/)]);
    expect(stderr).toMatch(/Decoding images: 20\/20/);
    const data = await openPrepared(out);
    expect([data.size, data.images.length, data.synthetic]).toEqual([24, 20, true]);
    data.close();
  });

  it('lists an image that cannot be read, prepares the others, and exits with 3', async () => {
    const out = path.join(home, 'b.cxr');
    const { images } = JSON.parse((await run(folder, '--out', out, '--size', '24', '--json')).stdout) as PrepareResult;
    await writeFile(path.join(folder, 'images/00000001_000.png'), '<html>');
    const { code, stdout } = await run(folder, '--out', out, '--size', '24', '--json');
    const result = JSON.parse(stdout) as PrepareResult;
    expect([code, result.images, result.bad]).toEqual([
      3,
      images - 1,
      [{ name: '00000001_000.png', reason: expect.stringMatching(/HTML page/) }],
    ]);
  });

  it.each([
    ['a folder that is not there', ['/nowhere', '--out', 'x'], /^NOT_FOUND: The folder \/nowhere does not exist/m],
    ['a size that is no number', ['/nowhere', '--out', 'x', '--size', 'big'], /^BAD_INPUT: --size is "big"/m],
    ['no --out', ['/nowhere'], /--out <file>/],
  ])('exits with 2 for %s, without a stack trace', async (_name, args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)]);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
