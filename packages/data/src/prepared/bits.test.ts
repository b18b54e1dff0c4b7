import { describe, expect, it } from 'vitest';
import { checkBits, decideBits, type SixteenBitFile } from './bits.ts';

const file = (name: string, greatest: number, sbit: number | null = null, split: SixteenBitFile['split'] = 'train'): SixteenBitFile => ({
  name,
  split,
  greatest,
  sbit,
});

describe('the bits in use of a data set', () => {
  it('are none without a 16-bit file', () => {
    expect(decideBits([])).toBeNull();
    expect(decideBits([], 12)).toBeNull();
  });

  it.each<[string, SixteenBitFile[], number, string]>([
    ['hold the greatest value', [file('a', 900), file('b', 3000)], 12, 'guess'],
    ['are 16 for full range', [file('a', 40000)], 16, 'guess'],
    ['are what sBIT says', [file('a', 900, 12), file('b', 800, 12)], 12, 'sbit'],
    ['may be odd by sBIT', [file('a', 900, 13)], 13, 'sbit'],
    ['are 16 where sBIT is of scaled samples', [file('a', 65520, 12), file('b', 3000, 12)], 16, 'guess'],
    ['are one number for scaled samples of two depths', [file('a', 65520, 12), file('b', 65535, 10)], 16, 'guess'],
    ['are those of sBIT for files without that fit', [file('a', 900, 12), file('b', 4095)], 12, 'sbit'],
  ])('%s', (_name, files, bits, source) => {
    expect(decideBits(files)).toMatchObject({ bits, source, images: files.length });
  });

  it.each<[string, SixteenBitFile[], RegExp]>([
    ['two sBIT', [file('a', 900, 12), file('b', 800, 14)], /a says .* 12 bits are in use, and b says .* 14 bits.*--bits/],
    [
      'sBIT and a greater value without',
      [file('a', 900, 12), file('b', 5000)],
      /a says .* 12 bits.*b, which has no sBIT chunk, holds the value 5000/,
    ],
    [
      'sBIT and scaled samples',
      [file('a', 900, 12), file('b', 65520, 10)],
      /a says .* 12 bits.*b holds the value 65520, which takes 16 bits/,
    ],
  ])('are refused where files contradict each other: %s', (_name, files, message) => {
    expect(() => decideBits(files)).toThrow(expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringMatching(message) }));
    expect(decideBits(files, 14)).toMatchObject({ bits: 14, source: 'option' });
  });

  it('by option clip greater values, which is said', () => {
    const decided = decideBits([file('a', 900), file('b', 5000), file('c', 4096)], 12)!;
    expect(decided.warnings).toEqual([
      expect.stringMatching(/2 of 3 16-bit images hold values over 4095.*greatest is 5000 in b, which takes 14 bits/),
    ]);
  });

  it('of files without sBIT beside others with it are said', () => {
    const { warnings } = decideBits([file('a', 4000, 12), file('b', 3000), file('c', 2000)])!;
    expect(warnings).toEqual([
      expect.stringMatching(/2 of 3 16-bit images have no sBIT chunk, as b; they are read by the others' 12 bits/),
    ]);
  });

  it('that a test image alone decides are said', () => {
    const { bits, warnings } = decideBits([file('a', 3000), file('b', 5000, null, 'test')])!;
    expect(bits).toBe(14);
    expect(warnings).toEqual([
      expect.stringMatching(/14 bits .* because of b \(test, greatest value 5000\).*at most 3000, 12 bits.*--bits/),
    ]);
  });

  it('that leave an image near black are said', () => {
    const { warnings } = decideBits([file('a', 65535), file('b', 4095), file('c', 4096)])!;
    expect(warnings).toEqual([
      expect.stringMatching(/1 of 3 16-bit images are near black by 16 bits, as b \(greatest value 4095 of 65535\)/),
    ]);
  });

  it.each([7, 17, 12.5, Number.NaN])('are no %d', (bits) => {
    expect(() => checkBits(bits)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });
});
