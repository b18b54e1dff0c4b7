import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../testing.ts';
import { sixteenBitPng } from '../tests/png.ts';
import { bitsInUse, smallestBits, whiteOf } from './bits.ts';
import { decodeImage, decodeSquashed, isPreprocessingVersion, preprocessingOf } from './decode.ts';

const WIDTH = 16;
const HEIGHT = 12;
const COUNT = WIDTH * HEIGHT;

/** Samples from 0 to `greatest`, both reached. */
const upTo = (greatest: number, count = COUNT): Uint16Array =>
  Uint16Array.from({ length: count }, (_, i) => Math.round((i * greatest) / (count - 1)));

const png = (greatest: number, sbit?: number[]): Promise<Buffer> =>
  sixteenBitPng(upTo(greatest), { width: WIDTH, height: HEIGHT, ...(sbit && { sbit }) });

describe('the smallest number of bits', () => {
  it.each([
    [0, 8],
    [255, 8],
    [256, 10],
    [1023, 10],
    [1024, 12],
    [4095, 12],
    [4096, 14],
    [16383, 14],
    [16384, 16],
    [65535, 16],
  ])('that holds %d is %d', (greatest, bits) => {
    expect(smallestBits(greatest)).toBe(bits);
  });
});

describe('bits in use of one file', () => {
  const file = { greatest: 3000, sbit: 13 };

  it.each([
    ['the given number where it holds the greatest value', file, { bits: 12 }, 12, 'given'],
    ['its own where the given number does not', { greatest: 5000, sbit: null }, { bits: 12 }, 14, 'guess'],
    ['the given number, clipping', { greatest: 5000, sbit: null }, { bits: 12, clip: true }, 12, 'given'],
    ['sBIT without a given number', file, {}, 13, 'sbit'],
    ['sBIT where the given number is null', file, { bits: null }, 13, 'sbit'],
    ['the guess without either', { greatest: 3000, sbit: null }, {}, 12, 'guess'],
    ['the guess where sBIT is of samples that were scaled up', { greatest: 65520, sbit: 12 }, {}, 16, 'guess'],
  ] as const)('are %s', (_name, found, options, bits, source) => {
    expect(bitsInUse(found, options)).toEqual({ ...found, bits, source });
  });
});

describe('a 16-bit PNG', () => {
  it.each([8, 10, 12, 14, 16])('of %d bits has the pixels value * 255 / (2 ^ bits - 1)', async (bits) => {
    const { pixels, sixteen } = await decodeImage(await png(whiteOf(bits)), 'x.png');
    expect(sixteen).toEqual({ bits, source: 'guess', greatest: whiteOf(bits), sbit: null });
    expect([...pixels]).toEqual([...upTo(whiteOf(bits))].map((value) => Math.round((value * 255) / whiteOf(bits))));
  });

  it('is by 16 bits what preprocessing v1 made of it', async () => {
    const samples = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const bytes = await sixteenBitPng(samples, { width: 256, height: 256 });
    const { pixels } = await decodeImage(bytes, 'x.png');
    expect([...pixels]).toEqual([...samples].map((value) => Math.round(value * (1 / 257))));
  });

  it('of 12 bits is the 8-bit picture of the same film', async (ctx) => {
    const folder = requireOrSkip(ctx, 'samples', 'failing-inputs/researcher/f4-12bit-in-16bit-png');
    const read = async (name: string) => decodeSquashed(await readFile(path.join(folder, name)), 96, name);
    const [deep, plain] = [await read('12bit-in-16bit.png'), await read('8bit.png')];
    expect(deep.sixteen).toMatchObject({ bits: 12, source: 'guess', greatest: 3936 });
    expect(plain.sixteen).toBeUndefined();
    // 16 v of 4095 is 255 / 255.94 of v: at most one grey level darker.
    const differences = deep.pixels.map((value, i) => Math.abs(value - plain.pixels[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(2);
  });

  it('is white above the given bits when it is to be clipped', async () => {
    const { pixels } = await decodeImage(await png(65535), 'x.png', { bits: 12, clip: true });
    expect([...pixels]).toEqual([...upTo(65535)].map((value) => Math.min(255, Math.round((value * 255) / 4095))));
  });

  it.each([
    ['grey', 1, [12]],
    ['grey and alpha', 2, [12, 16]],
    ['colour', 3, [11, 12, 10]],
    ['colour and alpha', 4, [11, 12, 10, 16]],
  ] as const)('has the greatest sBIT and value of its grey or colours: %s', async (_name, channels, sbit) => {
    const samples = Uint16Array.from({ length: COUNT * channels }, (_, i) => {
      const alpha = (channels === 2 || channels === 4) && i % channels === channels - 1;
      return alpha ? 65535 : i % 2000;
    });
    const { sixteen, pixels } = await decodeImage(
      await sixteenBitPng(samples, { width: WIDTH, height: HEIGHT, channels, sbit: [...sbit] }),
      'x.png',
    );
    const colours = [...samples].filter((_, i) => (channels === 2 || channels === 4 ? i % channels !== channels - 1 : true));
    expect(sixteen).toEqual({ bits: 12, source: 'sbit', greatest: Math.max(...colours), sbit: 12 });
    expect(Math.max(...pixels)).toBeLessThanOrEqual(Math.round((Math.max(...colours) * 255) / 4095));
  });

  it.each([[[0]], [[17]], [[255]], [Array(200_000).fill(12)]])('has no sBIT where the chunk says %s', async (sbit) => {
    expect((await decodeImage(await png(4000, sbit), 'x.png')).sixteen).toMatchObject({ sbit: null, source: 'guess', bits: 12 });
  });

  it('that is cut off within a chunk is refused, not searched for sBIT beyond its end', async () => {
    const whole = await png(4000, [12]);
    for (const length of [9, 20, 33, 40, 45]) {
      await expect(decodeImage(whole.subarray(0, length), 'x.png')).rejects.toMatchObject({ code: 'CORRUPT' });
    }
  });
});

describe('preprocessing versions', () => {
  it('v2 is named only where bits are stretched, and both are known', () => {
    expect([null, 16, 14, 8].map(preprocessingOf)).toEqual(['v1', 'v1', 'v2', 'v2']);
    expect(['v1', 'v2', 'v3', ''].map(isPreprocessingVersion)).toEqual([true, true, false, false]);
  });
});
