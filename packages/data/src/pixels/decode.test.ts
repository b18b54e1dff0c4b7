import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../testing.ts';
import reference from '../tests/fixtures/reference.json' with { type: 'json' };
import { chunk, withChunk } from '../tests/png.ts';
import { decodeImage, decodeSquashed } from './decode.ts';
import { squash } from './raster.ts';

const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64');

/** A seeded-looking grey PNG of the given size. */
function somePng(width: number, height: number): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: width * height }, (_, i) => (i * i * 31 + i * 7) % 256);
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

describe('PNG and JPEG', () => {
  it.each(reference.png)('has the pixels that Pillow has: $name', async ({ name, bytes, pixels }) => {
    const image = await decodeImage(bytesOf(bytes), name);
    expect([image.format, image.width, image.height]).toEqual(['png', 16, 12]);
    expect([...image.pixels]).toEqual(pixels);
  });

  it('reads a grey JPEG within its own loss', async () => {
    const pixels = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i % 64) * 4);
    const bytes = await sharp(pixels, { raw: { width: 64, height: 64, channels: 1 } })
      .jpeg({ quality: 100 })
      .toBuffer();
    const image = await decodeImage(bytes, 'ramp.jpg');
    expect(image.format).toBe('jpeg');
    expect(Math.max(...image.pixels.map((value, i) => Math.abs(value - pixels[i]!)))).toBeLessThanOrEqual(2);
  });

  it('squashes as Pillow does with Lanczos, within two grey levels', async () => {
    // libvips shrinks by whole factors first, so the two are not equal; a shift of half an output pixel would differ by 10 and more.
    const { width, height, pixels } = await decodeSquashed(bytesOf(reference.squash.bytes), 40, 'smooth.png');
    expect([width, height]).toEqual([40, 40]);
    const differences = reference.squash.pixels.map((value, i) => Math.abs(value - pixels[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(2);
    expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.5);
  });

  it('leaves an image of the asked size as it is', async () => {
    const bytes = await somePng(24, 24);
    expect(await decodeSquashed(bytes, 24, 'same.png')).toEqual(await decodeImage(bytes, 'same.png'));
  });
});

describe('an image squashed while it is decoded', () => {
  const IMAGES: Record<string, (png: Buffer) => Promise<Buffer> | Buffer> = {
    grey: (png) => png,
    interlaced: (png) => sharp(png).toColourspace('b-w').png({ progressive: true }).toBuffer(),
    'grey with one transparent level': (png) => withChunk(png, chunk('tRNS', Uint8Array.of(0, 200))),
    'grey with a gamma': (png) => withChunk(png, chunk('gAMA', Uint8Array.of(0, 0, 0xb1, 0x8f))),
    'grey, turned by its orientation tag': (png) => sharp(png).toColourspace('b-w').withMetadata({ orientation: 6 }).png().toBuffer(),
    'grey of 16 bits': (png) => sharp(png).toColourspace('grey16').png().toBuffer(),
    'grey with alpha': (png) => sharp(png).ensureAlpha(0.5).toColourspace('b-w').png().toBuffer(),
    'colour with alpha': (png) => sharp(png).toColourspace('srgb').tint('red').ensureAlpha(0.5).png().toBuffer(),
    'with a palette': (png) => sharp(png).png({ palette: true }).toBuffer(),
    JPEG: (png) => sharp(png).toColourspace('b-w').jpeg().toBuffer(),
  };

  it.each(Object.keys(IMAGES))('has the pixels of one decoded first: %s', async (name) => {
    const bytes = await IMAGES[name]!(await somePng(150, 331));
    for (const size of [8, 20, 96, 150, 331, 400]) {
      const { width, height, pixels } = await squash(await decodeImage(bytes, name), size);
      const found = await decodeSquashed(bytes, size, name);
      expect([found.width, found.height], `${size}`).toEqual([width, height]);
      expect(Buffer.compare(found.pixels, pixels), `${size}`).toBe(0);
    }
  });

  it('is refused when damaged at its very end', async () => {
    const whole = await somePng(200, 200);
    // Before the last chunk's 12 bytes: the CRC32 of the pixels, and before it what zlib checks them by.
    for (const fromEnd of [13, 14, 17, 20, 40]) {
      const bytes = Buffer.from(whole);
      bytes[bytes.length - fromEnd]! ^= 1;
      await expect(decodeSquashed(bytes, 16, 'flipped.png'), `${fromEnd}`).rejects.toMatchObject({ code: 'CORRUPT' });
      await expect(decodeSquashed(whole.subarray(0, -fromEnd), 16, 'cut.png'), `${fromEnd}`).rejects.toMatchObject({ code: 'CORRUPT' });
    }
  });
});

describe('bad images', () => {
  it.each([0.1, 0.5, 0.9])('refuses a PNG of which only the share %f is there', async (share) => {
    const whole = await somePng(200, 200);
    await expect(decodeImage(whole.subarray(0, whole.length * share), 'cut.png')).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringMatching(/cut\.png is cut off or damaged/),
    });
  });

  it('refuses a JPEG that is cut off', async () => {
    const whole = await sharp(await somePng(200, 200))
      .jpeg()
      .toBuffer();
    await expect(decodeImage(whole.subarray(0, whole.length / 2), 'cut.jpg')).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  it('refuses a PNG with one flipped bit', async () => {
    const bytes = await somePng(200, 200);
    bytes[bytes.length >> 1]! ^= 1;
    await expect(decodeImage(bytes, 'flipped.png')).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  it('says that an HTML page is one, whatever its name', async () => {
    const page = new TextEncoder().encode('\n<!DOCTYPE html><html><body>Not found</body></html>');
    await expect(decodeImage(page, '00000001_000.png')).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/00000001_000\.png .* HTML page/),
    });
  });

  it.each([
    ['nothing', Buffer.alloc(0), /is empty/],
    ['zeros', Buffer.alloc(1_000_000), /zeros only/],
    ['text', Buffer.from('Image Index,Finding Labels'), /begins with the bytes 49 6d 61/],
  ])('refuses %s', async (_name, bytes, message) => {
    await expect(decodeImage(bytes, 'upload')).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(message) });
  });

  it('refuses more pixels than any radiograph has before it decodes them', async () => {
    const bytes = await somePng(8, 8);
    // The header chunk: length, "IHDR", width, height, 5 bytes, CRC32.
    bytes.writeUInt32BE(9000, 16);
    bytes.writeUInt32BE(9000, 20);
    bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
    await expect(decodeImage(bytes, 'huge.png')).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('NIH images as published', () => {
  it('reads grey and RGBA files as Pillow does', async (ctx) => {
    const folder = requireOrSkip(ctx, 'samples', 'nih-sample/images-1024');
    for (const expected of reference.samples.images) {
      const { pixels, width } = await decodeImage(await readFile(path.join(folder, expected.name)), expected.name);
      expect(width).toBe(1024);
      expect(pixels.reduce((sum, value) => sum + value, 0) / pixels.length).toBeCloseTo(expected.mean, 3);
      expect(expected.at.map((at) => pixels[at])).toEqual(expected.pixels);
    }
  });
});
