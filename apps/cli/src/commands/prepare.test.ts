import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openPrepared, type PrepareResult, writePhantom } from '@cxr-lens/data';
import { sixteenBitPng } from '@cxr-lens/data/testing';
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
    for (const [role, name] of [
      ['table', 'Data_Entry_2017_v2020.csv'],
      ['train list', 'train_val_list.txt'],
      ['test list', 'test_list.txt'],
      ['boxes', 'BBox_List_2017.csv'],
    ])
      expect(stdout).toMatch(new RegExp(`^read ${role} +${name}, SHA-256 [0-9a-f]{64}$`, 'm'));
    expect(stdout).not.toMatch(/16-bit|another name/);
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

  it('says at once which sizes the presets take', async () => {
    const out = path.join(home, 'c.cxr');
    const odd = await run(folder, '--out', out, '--size', '64', '--json');
    const note = 'No preset trains on 64 x 64: preset paper takes 224, preset small takes 96.';
    expect(odd.stderr.startsWith(`note: ${note}\n`)).toBe(true);
    expect((JSON.parse(odd.stdout) as PrepareResult).warnings).toContain(note);
    expect((await run(folder, '--out', out, '--size', '96')).stderr).not.toMatch(/preset/);
    expect((await run('--help')).stdout.replaceAll(/\s+/g, ' ')).toContain('preset paper takes 224, preset small takes 96');
  });

  it('refuses two tables of which none has the exact name, and takes the one that is chosen', async () => {
    const copy = path.join(home, 'tables');
    await cp(folder, copy, { recursive: true });
    await cp(path.join(copy, 'Data_Entry_2017_v2020.csv'), path.join(copy, 'Data_Entry_b.csv'));
    await rename(path.join(copy, 'Data_Entry_2017_v2020.csv'), path.join(copy, 'Data_Entry_a.csv'));
    const out = path.join(home, 'd.cxr');
    const refused = await run(copy, '--out', out, '--size', '96');
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/BAD_INPUT: .*Data_Entry_a\.csv and Data_Entry_b\.csv.*--table/),
    ]);
    const chosen = ['--table', 'Data_Entry_b.csv', '--boxes', 'BBox_List_2017.csv'];
    const lists = ['--train-val-list', 'train_val_list.txt', '--test-list', path.join(copy, 'test_list.txt')];
    const { stdout } = await run(copy, '--out', out, '--size', '96', '--json', ...chosen, ...lists);
    expect((JSON.parse(stdout) as PrepareResult).files.map(({ name }) => name)).toEqual([
      'Data_Entry_b.csv',
      'train_val_list.txt',
      'test_list.txt',
      'BBox_List_2017.csv',
    ]);
  });

  it('counts images that are read from a file of another extension', async () => {
    const copy = path.join(home, 'extensions');
    await cp(folder, copy, { recursive: true });
    const name = path.join(copy, 'images/00000002_000');
    await rename(`${name}.png`, `${name}.PNG`);
    const out = path.join(home, 'e.cxr');
    const { stdout } = await run(copy, '--out', out, '--size', '96');
    expect(stdout).toMatch(/the listed one is absent: 1 images \(for 00000002_000\.png 00000002_000\.PNG\)/);
    expect(JSON.parse((await run(copy, '--out', out, '--size', '96', '--json')).stdout)).toMatchObject({
      otherExtension: { count: 1, example: { listed: '00000002_000.png', file: '00000002_000.PNG' } },
    });
  });

  it('says how many bits of 16-bit images are in use, and why', async () => {
    const copy = path.join(home, 'deep');
    await cp(folder, copy, { recursive: true });
    const file = path.join(copy, 'images/00000002_000.png');
    await writeFile(
      file,
      await sixteenBitPng(
        Uint16Array.from({ length: 64 }, (_, i) => i * 60),
        { width: 8, height: 8 },
      ),
    );
    const out = path.join(home, 'f.cxr');
    expect((await run(copy, '--out', out, '--size', '96')).stdout).toMatch(
      /^16-bit images 1: 12 bits in use, the fewest of .* that hold it; greatest value 3780 in 00000002_000\.png$/m,
    );
    const { stdout } = await run(copy, '--out', out, '--size', '96', '--bits', '14', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      bits: { bits: 14, source: 'option', images: 1, greatest: { name: '00000002_000.png', value: 3780 } },
      preprocessingVersion: 'v2',
    });
  });

  it.each([
    ['a folder that is not there', ['/nowhere', '--out', 'x'], /^NOT_FOUND: The folder \/nowhere does not exist/m],
    ['a size that is no number', ['/nowhere', '--out', 'x', '--size', 'big'], /^BAD_INPUT: --size is "big"/m],
    ['bits that no file has', ['/nowhere', '--out', 'x', '--bits', '17'], /^BAD_INPUT: The bits in use are 17; expected/m],
    ['no --out', ['/nowhere'], /--out <file>/],
  ])('exits with 2 for %s, without a stack trace', async (_name, args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)]);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
