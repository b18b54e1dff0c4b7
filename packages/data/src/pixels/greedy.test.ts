import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../testing.ts';
import { decodeImage } from './decode.ts';

/** A PNG whose header claims another size, depth and colour type; 2 colour, 3 palette, 4 grey with alpha, 6 colour with alpha. */
async function claimed(size: number, depth: number, colour: number): Promise<Buffer> {
  const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  bytes.writeUInt32BE(size, 16);
  bytes.writeUInt32BE(size, 20);
  bytes.set([depth, colour], 24);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

const codeOf = (bytes: Uint8Array): Promise<string> =>
  decodeImage(bytes, 'greedy').then(
    () => 'decoded',
    ({ code }: { code: string }) => code,
  );

describe('what takes too much when it is decoded', () => {
  it.each([
    ['8192 x 8192 of 16-bit RGBA', 8192, 16, 6, 'TOO_LARGE'],
    ['8192 x 8192 of 16-bit RGB', 8192, 16, 2, 'TOO_LARGE'],
    ['8192 x 8192 of 8-bit RGBA, which is cut off', 8192, 8, 6, 'CORRUPT'],
    ['8192 x 8192 of 16-bit grey, which is cut off', 8192, 16, 0, 'CORRUPT'],
    ['2^31 x 2^31', 2 ** 31 - 1, 8, 0, 'TOO_LARGE'],
  ])('PNG: %s', async (_what, size, depth, colour, code) => {
    expect(await codeOf(await claimed(size, depth, colour))).toBe(code);
  });

  it('JPEG: more than 64 scans, while the usual ten are decoded', async () => {
    const progressive = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
      .jpeg({ progressive: true })
      .toBuffer();
    expect(await codeOf(progressive)).toBe('decoded');
    // The first scan from its marker to the next one, seventy times.
    const start = progressive.indexOf(Buffer.from([0xff, 0xda]));
    let end = start + 2;
    while (!(progressive[end] === 0xff && progressive[end + 1] !== 0)) end += 1;
    const scan = progressive.subarray(start, end);
    const many = Buffer.concat([progressive.subarray(0, start), ...Array.from({ length: 70 }, () => scan), progressive.subarray(end)]);
    expect(await codeOf(many)).toBe('TOO_LARGE');
  });

  it('found by others', async (ctx) => {
    const folder = requireOrSkip(ctx, 'samples', 'failing-inputs');
    for (const name of ['bomb-8192-rgba16.png', 'manyscans.jpg'])
      expect([name, await codeOf(await readFile(`${folder}/${name}`))]).toEqual([name, 'TOO_LARGE']);
  });

  it('any damaged head of a JPEG or PNG is refused or decoded, never read for ever', async () => {
    const jpeg = await sharp({ create: { width: 16, height: 16, channels: 3, background: 'red' } })
      .jpeg({ progressive: true })
      .toBuffer();
    let state = 1;
    const below = (most: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * most);
    };
    for (let round = 0; round < 500; round += 1) {
      const bytes = Buffer.from(jpeg.subarray(0, 4 + below(jpeg.length)));
      for (let change = 0; change < 3; change += 1) bytes[3 + below(bytes.length - 3)] = below(4) === 0 ? 0xff : below(256);
      expect(['decoded', 'CORRUPT', 'TOO_LARGE', 'BAD_INPUT']).toContain(await codeOf(bytes));
    }
  });
});
