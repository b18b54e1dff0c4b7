import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NIH_SIZE } from '../box.ts';
import { readNih } from '../nih/nih.ts';
import { decodeImage } from '../pixels/decode.ts';
import { maskBox } from './render.ts';
import { type WritePhantomOptions, type WritePhantomResult, writePhantom } from './write.ts';

const SIZE = 48;
let home: string;
let plan: WritePhantomOptions;
let result: WritePhantomResult;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'cxr-lens-phantom-'));
  plan = { folder: path.join(home, 'a'), images: 400, seed: 5, size: SIZE, prevalence: 'enriched', shortcuts: { train: 1 } };
  result = await writePhantom(plan);
});

afterAll(() => rm(home, { recursive: true, force: true }));

async function pixelsOf(file: string): Promise<Uint8Array> {
  return (await decodeImage(await readFile(file), file)).pixels;
}

/** SHA-256 over decoded pixels of all images and the text of all tables. */
async function hashOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['Data_Entry_2017_v2020.csv', 'BBox_List_2017.csv', 'train_val_list.txt', 'test_list.txt', 'truth/images.csv']) {
    hash.update(await readFile(path.join(folder, name)));
  }
  for (const name of (await readdir(path.join(folder, 'images'))).sort()) hash.update(await pixelsOf(path.join(folder, 'images', name)));
  return hash.digest('hex');
}

describe('writePhantom', () => {
  it('writes what readNih reads: complete, synthetic, patients apart', async () => {
    const read = await readNih(plan.folder);
    expect([read.images.length, read.missing, read.synthetic, read.warnings]).toEqual([400, 0, true, []]);
    expect((await readNih(plan.folder, { seed: 1 })).warnings).toEqual([
      expect.stringMatching(/training \(1\) and validation \(0\) .* Use --seed 0/),
    ]);
    const splits = new Map<string, Set<string>>();
    for (const { patientId, split } of read.images) splits.set(patientId, (splits.get(patientId) ?? new Set()).add(split));
    expect([...splits.values()].every((parts) => parts.size === 1)).toBe(true);
    for (const split of ['train', 'validation', 'test'] as const) {
      expect(read.images.filter((image) => image.split === split)).toHaveLength(result.splits[split]);
    }
    const header = (await readFile(path.join(plan.folder, 'Data_Entry_2017_v2020.csv'), 'utf8')).split('\n')[0];
    expect(header).toBe(
      'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]',
    );
  });

  it('keeps the promise of enriched in what was really drawn', () => {
    for (const { testImages, boxedPairs, finding } of result.findings) {
      expect(testImages, finding).toBeGreaterThanOrEqual(30);
      if (boxedPairs > 0) expect(boxedPairs, finding).toBeGreaterThanOrEqual(40);
    }
    expect(result.findings.filter(({ boxedPairs }) => boxedPairs > 0)).toHaveLength(8);
  });

  it('bounds its masks with its boxes, on test images only', async () => {
    const { images } = await readNih(plan.folder);
    const boxed = images.filter((image) => image.boxes.length > 0);
    expect(boxed.every((image) => image.split === 'test')).toBe(true);
    for (const image of boxed.slice(0, 12)) {
      for (const { finding, box } of image.boxes) {
        const mask = await pixelsOf(path.join(plan.folder, 'truth/masks', `${image.name.slice(0, -4)}.${finding}.png`));
        expect(maskBox(mask, SIZE)).toEqual(box);
        expect(box.x + box.width).toBeLessThanOrEqual(NIH_SIZE);
      }
    }
  });

  it('turns the dials on the splits that the reader makes', async () => {
    const splits = new Map((await readNih(plan.folder)).images.map((image) => [image.name, image.split]));
    const rows = (await readFile(path.join(plan.folder, 'truth/images.csv'), 'utf8')).trim().split('\n').slice(1);
    for (const row of rows) {
      const [name, split, , , shortcuts] = row.split(',');
      expect(split).toBe(splits.get(name!));
      if (split !== 'train') expect(shortcuts).toBe('');
    }
    expect(rows.filter((row) => row.includes('pacemaker')).length).toBeGreaterThan(5);
  });

  it('goes on where it was interrupted, keeps what is complete, and ends with the same pixels and tables', async () => {
    const options = { ...plan, folder: path.join(home, 'b'), images: 24, prevalence: 'nih' as const };
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done >= 8) controller.abort();
    };
    await expect(writePhantom({ ...options, onProgress, signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await readdir(options.folder)).not.toContain('Data_Entry_2017_v2020.csv');
    const [first] = await readdir(path.join(options.folder, 'images'));
    const kept = path.join(options.folder, 'images', first!);
    const before = (await stat(kept)).mtimeMs;
    // a start that was cut off before the marker was complete
    await mkdir(path.join(home, 'd/truth'), { recursive: true });
    await writeFile(path.join(home, 'd/truth/phantom.json.1234.part'), '{');
    expect((await writePhantom({ ...options, folder: path.join(home, 'd'), size: 32 })).kept).toBe(0);
    // what a kill -9 leaves of an image that was being written
    await writeFile(path.join(options.folder, 'images/00000001_000.png.part'), 'half');
    const resumed = await writePhantom(options);
    expect(resumed.kept).toBeGreaterThanOrEqual(8);
    expect((await stat(kept)).mtimeMs).toBe(before);

    const whole = { ...options, folder: path.join(home, 'c') };
    await writePhantom(whole);
    await unlink(path.join(options.folder, 'images/00000001_000.png.part')).catch(() => {});
    expect(await hashOf(options.folder)).toBe(await hashOf(whole.folder));
  });

  it.each([
    [{ images: 0 }, /number of images.*is 0; expected a whole number from 1/],
    [{ images: 2.5 }, /is 2.5/],
    [{ size: 5000 }, /size of a phantom is 5000; expected a whole number of pixels from 32 to 1024/],
    [{ seed: -1 }, /seed of a phantom is -1/],
    [{ prevalence: 'rare' as 'nih' }, /prevalence of a phantom is rare; expected nih or enriched/],
    [{ shortcuts: { val: 2 } }, /shortcut dial of validation is 2|shortcut dial of validation of a phantom is 2/],
    [{ labelNoise: 0.7 }, /label noise of a phantom is 0.7/],
  ])('refuses %o', async (change, message) => {
    const options = { ...plan, folder: path.join(home, 'never'), ...change };
    await expect(writePhantom(options)).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(message) });
  });

  it('leaves folders alone that hold something else, or another phantom', async () => {
    await writeFile(path.join(home, 'note.txt'), 'mine');
    await expect(writePhantom({ ...plan, folder: home })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(writePhantom({ ...plan, folder: path.join(home, 'note.txt') })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(writePhantom({ ...plan, seed: 6 })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/other options/),
    });
  });
});
