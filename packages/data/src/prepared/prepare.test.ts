import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { appendFile, copyFile, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FINDINGS } from '../findings.ts';
import { decodeSquashed } from '../pixels/decode.ts';
import type { Progress } from '../progress.ts';
import { encodeGreyPng } from '../render/png.ts';
import { requireOrSkip } from '../testing.ts';
import { imageName, smallFolder, temporaryFolder } from '../tests/small-folder.ts';
import { openPrepared } from './open.ts';
import { type PrepareOptions, prepare } from './prepare.ts';
import { openTarget } from './target.ts';

const SIZE = 16;

/** A small folder and where to put its prepared file, in the same temporary folder. */
async function smallPlan(): Promise<PrepareOptions & { out: string }> {
  const folder = await smallFolder();
  return { folder, out: path.join(folder, 'small.cxr'), size: SIZE };
}

/** Prepares in another process and kills it -9 after some images. */
async function prepareAndKill(options: PrepareOptions, afterImages: number): Promise<void> {
  const code = `
    import { prepare } from ${JSON.stringify(path.join(import.meta.dirname, 'prepare.ts'))};
    const pause = new Int32Array(new SharedArrayBuffer(4));
    const onProgress = ({ what, done }) => {
      if (what !== 'Decoding images') return;
      process.stdout.write(done + '\\n');
      Atomics.wait(pause, 0, 0, 20);
    };
    await prepare({ ...${JSON.stringify(options)}, onProgress });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (text: Buffer) => {
      if (
        text
          .toString()
          .split('\n')
          .some((line) => Number(line) >= afterImages)
      )
        child.kill('SIGKILL');
    });
    child.on('exit', (_code, signal) => {
      expect(signal).toBe('SIGKILL');
      resolve();
    });
  });
}

describe('a prepared file', () => {
  it('holds the pixels, labels, people, splits and boxes of the folder, and the statistics of its training images', async () => {
    const plan = await smallPlan();
    const result = await prepare(plan);
    expect(result).toMatchObject({
      images: 50,
      counts: { train: 36, validation: 4, test: 10 },
      boxes: 10,
      bad: [],
      missing: 0,
      listed: 50,
    });
    const data = await openPrepared(plan.out);
    expect(data).toMatchObject({ size: SIZE, preprocessingVersion: 'v1', seed: 0, synthetic: false, name: path.basename(plan.folder) });
    expect([data.datasetHash, data.splitHash, data.statistics]).toEqual([result.datasetHash, result.splitHash, result.statistics]);
    expect([data.rows('train').length, data.rows('validation').length, data.rows('test').length]).toEqual([36, 4, 10]);

    const trainingPixels: number[] = [];
    for (const [row, image] of data.images.entries()) {
      const file = path.join(plan.folder, 'images', image.name);
      const { pixels } = await decodeSquashed(await readFile(file), SIZE, file);
      expect([...data.pixels(row)]).toEqual([...pixels]);
      if (image.split === 'train') trainingPixels.push(...[...pixels].map((value) => value / 255));
      const labels = data.labels.subarray(row * 14, row * 14 + 14);
      expect(FINDINGS.filter((_, j) => labels[j] === 1)).toEqual(image.findings);
    }
    const mean = trainingPixels.reduce((sum, value) => sum + value, 0) / trainingPixels.length;
    const variance = trainingPixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / trainingPixels.length;
    expect(data.statistics.mean).toBeCloseTo(mean, 12);
    expect(data.statistics.std).toBeCloseTo(Math.sqrt(variance), 12);
    expect(data.images.at(-1)).toMatchObject({ name: imageName(25, 1), split: 'test', view: 'AP', boxes: [{ finding: 'Infiltration' }] });
    data.close();
  });

  it('leaves nothing beside it, and replaces an earlier one', async () => {
    const plan = await smallPlan();
    await prepare(plan);
    const first = await readFile(plan.out);
    await prepare(plan);
    expect(Buffer.compare(await readFile(plan.out), first)).toBe(0);
    expect((await readdir(plan.folder)).filter((name) => name.startsWith('small.cxr'))).toEqual(['small.cxr']);
  });

  it('has one hash for one content, whatever the data set is called', async () => {
    const plan = await smallPlan();
    const first = await prepare(plan);
    const renamed = await prepare({ ...plan, name: 'Größe' });
    expect(renamed.datasetHash).toBe(first.datasetHash);
    const data = await openPrepared(plan.out);
    expect(data.name).toBe('Größe');
    data.close();
    expect((await prepare({ ...plan, seed: 1 })).datasetHash).not.toBe(first.datasetHash);
    await expect(prepare({ ...plan, name: 'x'.repeat(1025) })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('warns of training images that are all the same', async () => {
    const plan = await smallPlan();
    const images = path.join(plan.folder, 'images');
    const flat = await encodeGreyPng({ width: 4, height: 4, pixels: new Uint8Array(16).fill(9) });
    for (const name of await readdir(images)) await writeFile(path.join(images, name), flat);
    const result = await prepare(plan);
    expect(result.statistics.std).toBe(0);
    expect(result.warnings).toEqual([expect.stringMatching(/All pixels of the training images are the same/)]);
  });

  it('cannot be read after it is closed, while pixels handed out stay', async () => {
    const plan = await smallPlan();
    await prepare(plan);
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    const data = await openPrepared(plan.out);
    const pixels = data.pixels(0);
    const same = Uint8Array.from(pixels);
    const into = new Uint8Array(SIZE * SIZE);
    expect(data.pixels(0, into)).toBe(into);
    data.close();
    data.close();
    expect(open()).toBe(before);
    expect([pixels, into]).toEqual([same, same]);
    expect(() => data.pixels(0)).toThrow(/was closed/);
  });

  it('reads the file that it opened, whatever has its name since', async () => {
    const plan = await smallPlan();
    await prepare(plan);
    const data = await openPrepared(plan.out);
    const before = data.images.map((_, row) => Uint8Array.from(data.pixels(row)));
    await rm(plan.out);
    await writeFile(plan.out, 'something else');
    expect(data.images.map((_, row) => data.pixels(row))).toEqual(before);
    data.close();
  });

  it('keeps to itself what is written into pixels', async () => {
    const plan = await smallPlan();
    await prepare(plan);
    const before = await readFile(plan.out);
    const data = await openPrepared(plan.out);
    data.pixels(0).fill(7);
    data.close();
    expect(Buffer.compare(await readFile(plan.out), before)).toBe(0);
  });
});

describe('preparing goes on where it stopped', () => {
  it('after kill -9, with the same bytes as an undisturbed run', async () => {
    const plan = await smallPlan();
    await prepare(plan);
    const undisturbed = await readFile(plan.out);
    const again = { ...plan, out: path.join(plan.folder, 'again.cxr') };
    await prepareAndKill(again, 15);
    expect(await readdir(plan.folder)).toEqual(expect.arrayContaining(['again.cxr.partial', 'again.cxr.journal']));
    // What a kill in the middle of a write, and a disk that lost a block, would leave.
    await appendFile(`${again.out}.journal`, '{"slot":3,"byt');
    const partial = await readFile(`${again.out}.partial`);
    partial[4096 + 5] = partial[4096 + 5]! ^ 255;
    await writeFile(`${again.out}.partial`, partial);

    const reported: number[] = [];
    await prepare({ ...again, onProgress: ({ done }) => void reported.push(done) });
    expect(reported.at(-1)).toBe(50);
    expect(Buffer.compare(await readFile(again.out), undisturbed)).toBe(0);
    expect((await readdir(plan.folder)).filter((name) => name.startsWith('again'))).toEqual(['again.cxr']);
  });

  it('after it was stopped on request', async () => {
    const plan = await smallPlan();
    const controller = new AbortController();
    const onProgress = ({ what, done }: Progress) => what === 'Decoding images' && done === 1 && controller.abort();
    const stopped = prepare({ ...plan, signal: controller.signal, onProgress });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    const [, ...lines] = (await readFile(`${plan.out}.journal`, 'utf8')).trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThan(50);
    await prepare(plan);
    const other = { ...plan, out: path.join(plan.folder, 'other.cxr') };
    await prepare(other);
    expect(Buffer.compare(await readFile(plan.out), await readFile(other.out))).toBe(0);
  });

  it('decodes again what changed, and everything for another size', async () => {
    const plan = await smallPlan();
    const controller = new AbortController();
    await prepare({ ...plan, signal: controller.signal, onProgress: ({ done }) => done === 40 && controller.abort() }).catch(
      () => undefined,
    );
    const images = path.join(plan.folder, 'images');
    await copyFile(path.join(images, imageName(9, 0)), path.join(images, imageName(1, 0)));
    await prepare(plan);
    const data = await openPrepared(plan.out);
    const row = (name: string) => data.images.findIndex((image) => image.name === name);
    expect([...data.pixels(row(imageName(1, 0)))]).toEqual([...data.pixels(row(imageName(9, 0)))]);
    data.close();

    const again = new AbortController();
    const resized = { ...plan, out: path.join(plan.folder, 'resized.cxr') };
    await prepare({ ...resized, signal: again.signal, onProgress: ({ done }) => done === 40 && again.abort() }).catch(() => undefined);
    await prepare({ ...resized, size: 24 });
    const larger = await openPrepared(resized.out);
    expect(larger.pixels(49)).toHaveLength(24 * 24);
    larger.close();
  });
});

describe('bad images are listed and left out', () => {
  it('names each with its reason and prepares the others; repaired, all are there', async () => {
    const plan = await smallPlan();
    const images = path.join(plan.folder, 'images');
    const [cut, page] = [imageName(2, 1), imageName(22, 0)];
    const whole = await readFile(path.join(images, cut));
    await copyFile(path.join(images, page), path.join(images, 'kept'));
    await writeFile(path.join(images, cut), whole.subarray(0, whole.length / 2));
    await writeFile(path.join(images, page), '<!doctype html><p>Not found</p>');

    const result = await prepare(plan);
    expect(result.bad).toEqual([
      { name: cut, reason: expect.stringMatching(/00000002_001\.png is cut off or damaged/) },
      { name: page, reason: expect.stringMatching(/00000022_000\.png .* HTML page/) },
    ]);
    expect(result.images).toBe(48);
    const data = await openPrepared(plan.out);
    const last = data.images.findIndex((image) => image.name === imageName(25, 1));
    const file = path.join(images, imageName(25, 1));
    expect([...data.pixels(last)]).toEqual([...(await decodeSquashed(await readFile(file), SIZE, file)).pixels]);
    data.close();

    await writeFile(path.join(images, cut), whole);
    await rename(path.join(images, 'kept'), path.join(images, page));
    expect(await prepare(plan)).toMatchObject({ images: 50, bad: [] });
  });

  it('stops when none can be read', async () => {
    const plan = await smallPlan();
    for (const name of await readdir(path.join(plan.folder, 'images'))) await writeFile(path.join(plan.folder, 'images', name), 'no');
    await expect(prepare(plan)).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(/None of the 50 images/) });
  });
});

describe('a prepared file that is not as it should be is refused', () => {
  let whole: Promise<Buffer> | undefined;
  const change = async (edit: (bytes: Buffer) => Buffer): Promise<string> => {
    whole ??= smallPlan().then(async (plan) => readFile((await prepare(plan)).path));
    const changed = path.join(await temporaryFolder(), 'changed.cxr');
    await writeFile(changed, edit(Buffer.from(await whole)));
    return changed;
  };
  const flip =
    (at: number) =>
    (bytes: Buffer): Buffer => {
      const place = at < 0 ? bytes.length + at : at;
      bytes[place] = bytes[place]! ^ 1;
      return bytes;
    };

  it('a flipped pixel: the image is named, the others can be read', async () => {
    const data = await openPrepared(await change(flip(4096 + 3 * SIZE * SIZE + 17)));
    expect(() => data.pixels(3)).toThrow(expect.objectContaining({ code: 'CORRUPT', message: expect.stringMatching(/00000002_001\.png/) }));
    for (const [row] of data.images.entries()) if (row !== 3) data.pixels(row);
    data.close();
  });

  // A mapped file ends the process with SIGBUS here.
  it.each([
    ['cut off', (file: string) => truncate(file, 8192)],
    ['emptied', (file: string) => truncate(file, 0)],
    ['overwritten', async (file: string) => writeFile(file, new Uint8Array((await stat(file)).size).fill(7))],
  ])('one that is %s in place after it was opened: the image is named', async (_, harm) => {
    const file = await change((bytes) => bytes);
    const data = await openPrepared(file);
    data.pixels(40);
    await harm(file);
    const damaged = expect.objectContaining({ code: 'CORRUPT', message: expect.stringContaining(data.images[40]!.name) });
    expect(() => data.pixels(40)).toThrow(damaged);
    data.close();
  });

  it.each<[string, (bytes: Buffer) => Buffer, string, RegExp]>([
    ['a flipped byte of the index', flip(-10), 'CORRUPT', /index does not have its SHA-256/],
    ['a flipped byte of the header', flip(13), 'CORRUPT', /header is damaged/],
    ['a flipped byte of the name', flip(73), 'CORRUPT', /header is damaged/],
    ['another version', flip(8), 'UNSUPPORTED', /format version 3; this program reads version 2/],
    ['a file that is cut off', (bytes) => bytes.subarray(0, bytes.length - 100), 'CORRUPT', /has \d+ bytes; expected \d+/],
    ['a file cut off in its header', (bytes) => bytes.subarray(0, 50), 'CORRUPT', /header/],
    ['another file', () => Buffer.from('Image Index,Finding Labels\n'), 'BAD_INPUT', /is no prepared data set/],
    ['an empty file', () => Buffer.alloc(0), 'BAD_INPUT', /is no prepared data set/],
  ])('%s', async (_name, edit, code, message) => {
    await expect(openPrepared(await change(edit))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('a path where nothing is, and a folder', async () => {
    await expect(openPrepared('/nowhere/x.cxr')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(openPrepared(import.meta.dirname)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});

describe('where a prepared file cannot be written', () => {
  it.each([7, 4096, 1.5, Number.NaN])('refuses the size %d', async (size) => {
    await expect(prepare({ ...(await smallPlan()), size })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('leaves a file alone that is no prepared data set', async () => {
    const plan = await smallPlan();
    await writeFile(plan.out, 'a thesis');
    await expect(prepare(plan)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await readFile(plan.out, 'utf8')).toBe('a thesis');
    await expect(prepare({ ...plan, out: plan.folder })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('lets one process write at a time', async () => {
    const plan = await smallPlan();
    const held = await openTarget({ out: plan.out, plan: {}, slots: 50, size: SIZE });
    await expect(prepare(plan)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringMatching(/Another process is writing/) });
    await held.close();
    await prepare(plan);
    (await openPrepared(plan.out)).close();
  });

  it('says so when the disk has too little space, before it begins', async () => {
    const out = path.join(await temporaryFolder(), 'huge.cxr');
    await expect(openTarget({ out, plan: {}, slots: 1e9, size: 2048 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/MB are needed and \d+ MB are free/),
    });
  });
});

describe('the NIH sample', () => {
  it('is prepared from the published files, RGBA and grey', async (ctx) => {
    const folder = requireOrSkip(ctx, 'samples', 'nih-sample');
    const out = path.join(await temporaryFolder(), 'nih.cxr');
    const result = await prepare({ folder, out, size: 96, images: 'images-1024' });
    expect(result).toMatchObject({ images: 61, bad: [], listed: 112120 });
    const data = await openPrepared(out);
    for (const [row] of data.images.entries()) data.pixels(row);
    data.close();
  });
});
