import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../testing.ts';
import reference from '../tests/fixtures/reference.json' with { type: 'json' };
import { decodeImage } from './decode.ts';

const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64');
const plain = bytesOf(reference.dicom[0]!.bytes);

/** The offset of an element's value, found by its tag; explicit VR little endian with a two-byte length. */
function valueAt(bytes: Buffer, group: number, element: number): number {
  const tag = Buffer.from([group & 255, group >> 8, element & 255, element >> 8]);
  return bytes.lastIndexOf(tag) + 8;
}

function withShort(group: number, element: number, value: number): Buffer {
  const bytes = Buffer.from(plain);
  bytes.writeUInt16LE(value, valueAt(bytes, group, element));
  return bytes;
}

describe('uncompressed DICOM', () => {
  it.each(reference.dicom)('is displayed as pydicom computes it: $name', async ({ name, bytes, pixels }) => {
    const image = await decodeImage(bytesOf(bytes), name);
    expect([image.format, image.width, image.height]).toEqual(['dicom', 16, 12]);
    // The reference is not rounded.
    const differences = pixels.map((value, i) => Math.abs(value - image.pixels[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(0.501);
  });

  it('is the same without its preamble but with its file meta', async () => {
    const [whole, bare] = [await decodeImage(plain, 'plain.dcm'), await decodeImage(plain.subarray(132), 'bare.dcm')];
    expect(bare).toEqual(whole);
  });

  it('is told apart by "DICM" even when the preamble looks like a data set', async () => {
    const odd = Buffer.from(plain);
    odd.set([8, 0, 5, 0, 0x43, 0x53, 2, 0]);
    expect(await decodeImage(odd, 'odd.dcm')).toEqual(await decodeImage(plain, 'plain.dcm'));
  });

  it('hands out identifiers and facts about the pixels', async () => {
    const { dicom } = await decodeImage(plain, 'plain.dcm');
    expect(dicom).toEqual({
      studyInstanceUid: '1.2.3',
      sopInstanceUid: '1.2.3.4',
      sopClassUid: '1.2.840.10008.5.1.4.1.1.1',
      accessionNumber: 'A-1',
      modality: 'DX',
      bodyPart: 'CHEST',
      viewPosition: 'PA',
      transferSyntaxUid: '1.2.840.10008.1.2.1',
      photometricInterpretation: 'MONOCHROME2',
      rows: 12,
      columns: 16,
      bitsAllocated: 8,
      bitsStored: 8,
    });
  });
});

describe('bad DICOM', () => {
  it('refuses absurd dimensions without taking memory', async () => {
    const bytes = withShort(0x28, 0x10, 65535);
    bytes.writeUInt16LE(65535, valueAt(bytes, 0x28, 0x11));
    const before = process.memoryUsage().rss;
    await expect(decodeImage(bytes, 'absurd.dcm')).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/65535 x 65535/),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  it.each([
    ['rows that are not there', withShort(0x28, 0x10, 4000), 'CORRUPT', /is cut off/],
    ['no rows', withShort(0x28, 0x10, 0), 'BAD_INPUT', /Rows is 0/],
    ['32 bits', withShort(0x28, 0x100, 32), 'UNSUPPORTED', /of 32 bits/],
    ['more bits stored than allocated', withShort(0x28, 0x101, 12), 'UNSUPPORTED', /stores 12 of 8 bits/],
    ['three samples a pixel', withShort(0x28, 0x2, 3), 'UNSUPPORTED', /3 samples/],
    ['no pixel data', plain.subarray(0, valueAt(plain, 0x7fe0, 0x10) - 8), 'BAD_INPUT', /without pixel data/],
    ['half a header', plain.subarray(0, 400), 'CORRUPT|BAD_INPUT', /./],
  ])('refuses %s', async (_name, bytes, code, message) => {
    await expect(decodeImage(bytes, 'bad.dcm')).rejects.toMatchObject({
      code: expect.stringMatching(new RegExp(`^(${code})$`)),
      message: expect.stringMatching(message),
    });
  });

  it('refuses a slope that is no number', async () => {
    const bytes = bytesOf(reference.dicom.find(({ name }) => name.startsWith('signed with slope'))!.bytes);
    bytes.write('x ', valueAt(bytes, 0x28, 0x1053), 'latin1');
    await expect(decodeImage(bytes, 'slope.dcm')).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/slope is NaN/),
    });
  });

  it('never fails otherwise than with a CxrError, wherever a byte is changed or the file is cut', async () => {
    for (let at = 128; at < plain.length; at += 3) {
      const changed = Buffer.from(plain);
      changed[at] = changed[at]! ^ 0xff;
      for (const bytes of [changed, plain.subarray(0, at)]) {
        const outcome = await decodeImage(bytes, 'fuzzed.dcm').catch((error: unknown) => error);
        expect(outcome instanceof Error ? outcome.name : 'decoded', String(outcome)).toMatch(/^(decoded|CxrError)$/);
      }
    }
  });
});

describe('the DICOM samples', () => {
  const read = (file: string): Promise<Buffer> => readFile(file);

  it('gives NIH 00000001_000 the pixels of its PNG', async (ctx) => {
    const dicom = requireOrSkip(ctx, 'dicom', 'dicom-sample/NIH_00000001_000_google.dcm');
    const png = requireOrSkip(ctx, 'samples', 'nih-sample/images-1024/00000001_000.png');
    const [fromDicom, fromPng] = [await decodeImage(await read(dicom), dicom), await decodeImage(await read(png), png)];
    expect(Buffer.compare(fromDicom.pixels, fromPng.pixels)).toBe(0);
  });

  it('gives the chest with and without preamble the pixels that pydicom computes', async (ctx) => {
    const folder = requireOrSkip(ctx, 'dicom', 'dicom-sample');
    const { at, pixels, mean } = reference.samples.chest;
    for (const name of ['CR-MONO1-10-chest_explicitLE.dcm', 'CR-MONO1-10-chest_nopreamble_implicit.dcm']) {
      const image = await decodeImage(await read(path.join(folder, name)), name);
      expect(image.pixels.reduce((sum, value) => sum + value, 0) / image.pixels.length).toBeCloseTo(mean, 1);
      for (const [k, place] of at.entries()) expect(Math.abs(image.pixels[place]! - pixels[k]!)).toBeLessThanOrEqual(0.501);
    }
  });

  it.for([
    ['Database_2026-05-26-oob-monochrome-46341.dcm', 'TOO_LARGE', /46341 x 46341/],
    ['Database_Issue56-NoPixelData.dcm', 'BAD_INPUT', /without pixel data/],
    ['html_page_named.dcm', 'BAD_INPUT', /HTML page/],
    ['RG1_J2KI_mono1_15bit.dcm', 'UNSUPPORTED', /JPEG 2000/],
    ['RG1_JLSN_mono1_15bit.dcm', 'UNSUPPORTED', /JPEG-LS/],
    ['RLE_RG3_RLE.dcm', 'UNSUPPORTED', /RLE/],
    ['JPLL_RG3_JPLL.dcm', 'UNSUPPORTED', /JPEG lossless/],
  ] as const)('refuses %s: %s', async ([name, code, message], ctx) => {
    const file = requireOrSkip(ctx, 'dicom', `dicom-sample/${name}`);
    await expect(decodeImage(await read(file), name)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('damaged DICOM', () => {
  it('is refused in our words, wherever the parser stumbles', async () => {
    let state = 1;
    const below = (most: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * most);
    };
    for (let round = 0; round < 3000; round += 1) {
      const whole = bytesOf(reference.dicom[round % reference.dicom.length]!.bytes);
      const bytes = Buffer.from(below(3) === 0 ? whole.subarray(0, 132 + below(whole.length - 132)) : whole);
      for (let change = 0; change <= below(4); change += 1) bytes[below(Math.min(bytes.length, 600))] = below(256);
      const error = await decodeImage(bytes, 'damaged.dcm').then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (error !== null) expect(error).toMatchObject({ name: 'CxrError', code: expect.not.stringMatching('INTERNAL') });
    }
  });

  it('found by chance is CORRUPT', async (ctx) => {
    const bytes = await readFile(requireOrSkip(ctx, 'samples', 'failing-inputs/image-13316737f2'));
    await expect(decodeImage(bytes, 'x.dcm')).rejects.toMatchObject({ code: 'CORRUPT', message: expect.stringContaining('read past end') });
  });
});
