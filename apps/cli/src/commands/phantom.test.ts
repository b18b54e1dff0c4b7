import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { WritePhantomResult } from '@cxr-lens/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'cxr-lens-phantom-'));
});

afterAll(() => rm(home, { recursive: true, force: true }));

const run = (...args: string[]): ReturnType<typeof runCli> => runCli('phantom', ...args);

describe('cxr-lens phantom', () => {
  it('writes a set and says what is in it', async () => {
    const args = [
      path.join(home, 'a'),
      '--images',
      '20',
      '--seed',
      '1',
      '--size',
      '32',
      '--shortcuts',
      'train=0.5,val=0,test=0',
      '--label-noise',
      '0.1',
    ];
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^20 synthetic images of \d+ patients in .*: \d+ training, \d+ validation, \d+ test\./),
    ]);
    expect(stderr).toMatch(/Drawing phantoms: 20\/20/);
    const { images, kept, findings } = JSON.parse((await run(...args, '--json')).stdout) as WritePhantomResult;
    expect([images, kept, findings.length]).toEqual([20, 20, 14]);
  });

  it.each([
    ['no images', ['--images', '0'], /number of images of a phantom is 0; expected a whole number from 1/],
    ['a word', ['--images', 'many'], /--images is "many"; expected a whole number/],
    ['too large', ['--images', '20', '--size', '5000'], /size of a phantom is 5000; expected a whole number of pixels from 32 to 1024/],
    ['an unknown prevalence', ['--images', '20', '--prevalence', 'rare'], /--prevalence is "rare"; expected nih or enriched/],
    ['too few to be enriched', ['--images', '50', '--prevalence', 'enriched'], /Ask for at least 400/],
    ['an unknown dial', ['--images', '20', '--shortcuts', 'all=1'], /--shortcuts has "all=1"; expected train=0..1,val=0..1,test=0..1/],
    ['a strong dial', ['--images', '20', '--shortcuts', 'train=3'], /dial of train of a phantom is 3/],
  ])('refuses %s', async (_, args, message) => {
    const { code, stdout, stderr } = await run(path.join(home, 'never'), ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
