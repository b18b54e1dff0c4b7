import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodeGreyPng } from './png.ts';
import { renderSvg } from './svg.ts';

const svg = (body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20" viewBox="0 0 30 20"><rect width="30" height="20" fill="#FFFFFF"/>${body}</svg>`;

/** The grey value of a pixel of the rendered drawing. */
async function pixels(png: Buffer): Promise<{ width: number; height: number; at: (x: number, y: number) => number }> {
  const { data, info } = await sharp(png).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, at: (x, y) => data[(y * info.width + x) * info.channels]! };
}

describe('renderSvg', () => {
  it('draws two pixels for each unit, every shape where it belongs', async () => {
    const { width, height, at } = await pixels(await renderSvg(svg('<rect x="10" y="5" width="5" height="5" fill="#000000"/>')));
    expect([width, height]).toEqual([60, 40]);
    expect([at(19, 12), at(20, 10), at(29, 19), at(30, 12), at(22, 20)]).toEqual([255, 0, 0, 255, 255]);
  });

  it('draws the pictures inside', async () => {
    const png = await encodeGreyPng({ width: 2, height: 2, pixels: Uint8Array.of(100, 100, 100, 100) });
    const href = `data:image/png;base64,${png.toString('base64')}`;
    const { at } = await pixels(await renderSvg(svg(`<image x="0" y="0" width="10" height="10" href="${href}"/>`)));
    expect([at(10, 10), at(40, 10)]).toEqual([100, 255]);
  });

  it('gives the same bytes for the same drawing, with text as well', async () => {
    const drawing = svg('<text x="2" y="15" font-family="sans-serif" font-size="12">AUC</text>');
    expect(await renderSvg(drawing)).toEqual(await renderSvg(drawing));
  });
});
