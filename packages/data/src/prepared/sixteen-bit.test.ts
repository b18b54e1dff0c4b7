import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeSquashed } from '../pixels/decode.ts';
import type { Progress } from '../progress.ts';
import { sixteenBitPng } from '../tests/png.ts';
import { smallFolder, temporaryFolder } from '../tests/small-folder.ts';
import { PIXELS_OFFSET } from './format.ts';
import { openPrepared } from './open.ts';
import { type PrepareOptions, prepare } from './prepare.ts';

const SIZE = 16;
const SHAPE = { width: 40, height: 32 };

/** Greatest value and sBIT of one image; null: it stays an 8-bit file. */
type Made = { greatest: number; sbit?: number } | null;

/** A small folder whose images, in order, are 16-bit files as asked for. */
async function sixteenBitPlan(make: (index: number) => Made): Promise<PrepareOptions> {
  const folder = await smallFolder();
  const images = path.join(folder, 'images');
  for (const [index, name] of (await readdir(images)).sort().entries()) {
    const made = make(index);
    if (!made) continue;
    const samples = Uint16Array.from({ length: 40 * 32 }, (_, i) =>
      i === 0 ? made.greatest : (i * (index + 3) * 37) % (made.greatest + 1),
    );
    const { sbit } = made;
    await writeFile(path.join(images, name), await sixteenBitPng(samples, { ...SHAPE, ...(sbit && { sbit: [sbit] }) }));
  }
  return { folder, out: path.join(folder, 'out.cxr'), size: SIZE };
}

const again = (plan: PrepareOptions): PrepareOptions => ({ ...plan, out: path.join(plan.folder, 'again.cxr') });

/** Every row is what the file gives by these bits. */
async function expectReadBy(plan: PrepareOptions, bits: number): Promise<void> {
  const data = await openPrepared(plan.out);
  for (const [row, { name }] of data.images.entries()) {
    const bytes = await readFile(path.join(plan.folder, 'images', name));
    const { pixels } = await decodeSquashed(bytes, SIZE, name, { bits, clip: true });
    expect([...data.pixels(row)], name).toEqual([...pixels]);
  }
  data.close();
}

describe('a data set of 16-bit files', () => {
  it('of 12 bits is read by 12 bits in every image, and says so', async () => {
    const plan = await sixteenBitPlan((index) => ({ greatest: index === 48 ? 4000 : 500 + 10 * index }));
    const result = await prepare(plan);
    expect(result).toMatchObject({
      preprocessingVersion: 'v2',
      bits: { bits: 12, source: 'guess', images: 50, greatest: { name: '00000025_000.png', value: 4000 } },
    });
    const data = await openPrepared(plan.out);
    expect([data.preprocessingVersion, data.bits]).toEqual(['v2', 12]);
    data.close();
    await expectReadBy(plan, 12);
  });

  it('of full range is what 0.1.0 made of it, to the last bit', async () => {
    const plan = await sixteenBitPlan(() => ({ greatest: 65535 }));
    const result = await prepare(plan);
    expect(result).toMatchObject({ preprocessingVersion: 'v1', bits: { bits: 16, source: 'guess' }, warnings: [] });
    // The hash that version 0.1.0 gives this folder.
    expect(result.datasetHash).toBe('f99ea87724d790707c9ca399ba6c8c9745228ece7b9018ef250c140658905f59');
    const data = await openPrepared(plan.out);
    expect(data.bits).toBe(16);
    data.close();
  });

  it('mixed with 8-bit files counts its 16-bit files alone', async () => {
    const plan = await sixteenBitPlan((index) => (index % 2 ? { greatest: 4095, sbit: 12 } : null));
    expect(await prepare(plan)).toMatchObject({ bits: { bits: 12, source: 'sbit', images: 25 }, preprocessingVersion: 'v2' });
    await expectReadBy(plan, 12);
  });

  it('takes the bits that are asked for, and clips', async () => {
    const plan = await sixteenBitPlan(() => ({ greatest: 4095 }));
    const first = await prepare({ ...plan, bits: 10 });
    expect(first).toMatchObject({
      bits: { bits: 10, source: 'option' },
      warnings: [expect.stringMatching(/50 of 50 16-bit images hold values over 1023/)],
    });
    await expectReadBy(plan, 10);
    expect((await prepare(plan)).datasetHash).not.toBe(first.datasetHash);
  });

  it('that contradicts itself is refused after which --bits goes on from what is decoded', async () => {
    const plan = await sixteenBitPlan((index) => ({ greatest: 1000, sbit: index === 7 ? 14 : 12 }));
    await expect(prepare(plan)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/00000001_000\.png says.*12.*00000004_001\.png says.*14/),
    });
    const seen: Progress[] = [];
    expect(await prepare({ ...plan, bits: 12, onProgress: (progress) => void seen.push(progress) })).toMatchObject({ bits: { bits: 12 } });
    await expectReadBy(plan, 12);
  });

  it.each([[{ bits: 7 }], [{ bits: 17 }], [{ bits: 12.5 }]])('cannot have %o', async (options) => {
    const plan = await sixteenBitPlan(() => null);
    await expect(prepare({ ...plan, ...options })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/8 \.\.\. 16/),
    });
  });
});

describe('preparing 16-bit files', () => {
  /** Bits grow from file to file: the first ones are read by too few. */
  const growing = (index: number): Made => (index % 5 === 4 ? null : { greatest: [200, 900, 4000, 16000][Math.min(3, index >> 3)]! });

  it('decodes again only those that were read by another number', async () => {
    const plan = await sixteenBitPlan(growing);
    const seen: Progress[] = [];
    await prepare({ ...plan, onProgress: (progress) => void seen.push(progress) });
    const second = seen.filter(({ what }) => what === 'Decoding 16-bit images by 14 bits');
    expect(second.at(-1)!.done).toBe(second.at(-1)!.total);
    // 24 of the first 30 images have 16 bits; some of them may be decoded beside the first image of 14 bits.
    expect(second.at(-1)!.total).toBeLessThanOrEqual(24);
    await expectReadBy(plan, 14);
    const even = await sixteenBitPlan(() => ({ greatest: 4000 }));
    const once: string[] = [];
    await prepare({ ...even, onProgress: ({ what }) => void once.push(what) });
    expect(new Set(once)).toEqual(new Set(['Reading tables and lists', 'Looking for images', 'Decoding images']));
  });

  it.each(['Decoding images', 'Decoding 16-bit images by 14 bits'])(
    'goes on where it was stopped while %s, to the same bytes',
    async (stage) => {
      const plan = await sixteenBitPlan(growing);
      await prepare(plan);
      const controller = new AbortController();
      const onProgress = ({ what, done }: Progress): void => {
        if (what === stage && done >= 3) controller.abort();
      };
      await expect(prepare({ ...again(plan), onProgress, signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
      await prepare(again(plan));
      expect(Buffer.compare(await readFile(again(plan).out), await readFile(plan.out))).toBe(0);
    },
  );

  it('goes on by another number of bits', async () => {
    const plan = await sixteenBitPlan(growing);
    const controller = new AbortController();
    const stopped = prepare({ ...plan, bits: 16, onProgress: ({ done }) => done >= 30 && controller.abort(), signal: controller.signal });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    await prepare({ ...plan, bits: 12 });
    await expectReadBy(plan, 12);
  });
});

describe('a data set without 16-bit files', () => {
  it('is what 0.1.0 made of it, and its notes change no hash', async () => {
    const folder = await smallFolder();
    const out = path.join(folder, 'out.cxr');
    const result = await prepare({ folder, out, size: SIZE });
    // The hash that version 0.1.0 gives this folder.
    expect(result).toMatchObject({
      datasetHash: 'd7c3f01e15755ae988893d3846e4feb7c62cd797bfd12f7181b726ee3c48d145',
      preprocessingVersion: 'v1',
      bits: null,
      otherExtension: { count: 0, example: null },
    });
    const data = await openPrepared(out);
    expect([data.bits, data.sources]).toEqual([null, result.files]);
    expect(data.sources.map(({ name }) => name)).toContain('BBox_List_2017.csv');
    data.close();
    const asked = await prepare({ folder, out, size: SIZE, bits: 12 });
    expect(asked).toMatchObject({ datasetHash: result.datasetHash, bits: null, warnings: [expect.stringMatching(/No image has 16 bits/)] });
  });
});

describe('the notes of a prepared file', () => {
  const NOTES = 1096;

  /** A prepared file of 12 bits with other notes, its header's CRC32 set right. */
  async function withNotes(bits: 'stretched' | 'plain', notes: string): Promise<string> {
    const plan = await sixteenBitPlan(() => (bits === 'stretched' ? { greatest: 4000 } : null));
    await prepare(plan);
    const bytes = await readFile(plan.out);
    bytes.fill(0, NOTES, PIXELS_OFFSET);
    bytes.writeUInt32LE(bytes.write(notes, NOTES + 4), NOTES);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, PIXELS_OFFSET - 4)), PIXELS_OFFSET - 4);
    const file = path.join(await temporaryFolder(), 'x.cxr');
    await writeFile(file, bytes);
    return file;
  }

  it('are empty in a file of 0.1.0', async () => {
    const data = await openPrepared(await withNotes('plain', ''));
    expect([data.bits, data.sources, data.preprocessingVersion]).toEqual([null, [], 'v1']);
    data.close();
  });

  it.each<[string, 'stretched' | 'plain', string, RegExp]>([
    ['cut off', 'plain', '{"bits":12', /the notes in the header are not as expected/],
    ['of other fields', 'plain', '{"bits":"12","files":[]}', /the notes in the header are not as expected/],
    ['missing where the pixels are stretched', 'stretched', '', /preprocessing v2, and the header says no bits in use/],
    ['of stretched pixels where none is', 'plain', '{"bits":12,"files":[]}', /preprocessing v1, and the header says 12 bits in use/],
  ])('%s are refused', async (_name, bits, notes, message) => {
    await expect(openPrepared(await withNotes(bits, notes))).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringMatching(message),
    });
  });

  it('hold file names of any length and kind', async () => {
    const folder = await smallFolder();
    const names = ['\u0001', 'ä', '漢', '"'].map((letter) => `${letter.repeat(Math.floor(250 / Buffer.byteLength(letter)))}`);
    const official = ['Data_Entry_2017_v2020.csv', 'train_val_list.txt', 'test_list.txt', 'BBox_List_2017.csv'];
    for (const [index, name] of names.entries())
      await writeFile(path.join(folder, name), await readFile(path.join(folder, official[index]!)));
    const [table, trainValList, testList, boxes] = names as [string, string, string, string];
    const out = path.join(folder, 'out.cxr');
    const { files } = await prepare({ folder, out, size: SIZE, files: { table, trainValList, testList, boxes } });
    const data = await openPrepared(out);
    expect(data.sources.map(({ sha256 }) => sha256)).toEqual(files.map(({ sha256 }) => sha256));
    data.close();
  });
});
