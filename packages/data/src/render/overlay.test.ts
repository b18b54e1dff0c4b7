import { describe, expect, it } from 'vitest';
import { scaleBox } from '../box.ts';
import { decodeImage } from '../pixels/decode.ts';
import { inferno } from './colormap.ts';
import { outlineBox, overlayCam, renderSaliency } from './overlay.ts';
import { encodeGreyPng, encodeRgbPng } from './png.ts';

const image = { width: 4, height: 3, pixels: Uint8Array.from({ length: 12 }, (_, i) => i * 20) };
const pixelAt = (rgb: { width: number; pixels: Uint8Array }, x: number, y: number): number[] => [
  ...rgb.pixels.subarray((y * rgb.width + x) * 3, (y * rgb.width + x) * 3 + 3),
];

describe('inferno', () => {
  it('has the colours matplotlib has', () => {
    // numpy.rint(numpy.multiply(matplotlib.colormaps['inferno'].colors[i], 255)) for i in 0, 64, 128, 200, 255
    expect([0, 64, 128, 200, 255].map(inferno)).toEqual([
      [0, 0, 4],
      [87, 16, 110],
      [188, 55, 84],
      [251, 157, 7],
      [252, 255, 164],
    ]);
  });

  it('grows brighter all the way, and clamps', () => {
    const bright = Array.from({ length: 256 }, (_, value) => inferno(value)).map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b);
    for (let value = 8; value < 256; value += 8) expect(bright[value]!).toBeGreaterThan(bright[value - 8]!);
    expect([inferno(-5), inferno(300), inferno(Number.NaN)]).toEqual([inferno(0), inferno(255), inferno(0)]);
  });
});

describe('the overlay of a map', () => {
  it('leaves the radiograph as it is where the map is zero, and without a map', () => {
    const grey = [...image.pixels].flatMap((value) => [value, value, value]);
    expect([...overlayCam(image, { map: new Float32Array(12) }).pixels]).toEqual(grey);
    expect([...overlayCam(image, { map: null }).pixels]).toEqual(grey);
  });

  it('shows six tenths of the colour at the maximum', () => {
    const rgb = overlayCam(image, { map: new Float32Array(12).fill(255) });
    expect(pixelAt(rgb, 3, 2)).toEqual(inferno(255).map((value) => Math.round(0.6 * value + 0.4 * 220)));
  });

  it('refuses a map of another size', () => {
    expect(() => overlayCam(image, { map: new Float32Array(5) })).toThrow(/upsample it first/);
  });
});

describe('saliency', () => {
  it('is mid grey where there is no influence', () => {
    expect([...renderSaliency([0, 0.5, 1, 2], 2, 2).pixels]).toEqual([0, 128, 255, 255]);
    expect(() => renderSaliency([0.5], 2, 2)).toThrow(/do not fill/);
  });
});

describe('boxes', () => {
  it('are scaled axis by axis', () => {
    const half = scaleBox({ x: 100, y: 200, width: 300, height: 400 }, { width: 1024, height: 1024 }, { width: 512, height: 256 });
    expect(half).toEqual({ x: 50, y: 50, width: 150, height: 100 });
  });

  it('are outlined along their edge and clipped to the image', () => {
    const rgb = overlayCam({ width: 5, height: 5, pixels: new Uint8Array(25) }, { map: null });
    outlineBox(rgb, { x: 1, y: 1, width: 3, height: 3 });
    const drawn = Array.from({ length: 25 }, (_, i) => (rgb.pixels[i * 3] ? '#' : '.')).join('');
    expect(drawn).toBe('......###..#.#..###......');
    outlineBox(rgb, { x: -3, y: 2, width: 100, height: 100 });
    expect(pixelAt(rgb, 4, 2)).toEqual([255, 255, 255]);
    expect(pixelAt(rgb, 0, 4)).toEqual([0, 0, 0]);
  });
});

describe('PNG', () => {
  it('comes back with the same pixels', async () => {
    expect(await decodeImage(await encodeGreyPng(image), 'grey')).toEqual({ ...image, pixels: Buffer.from(image.pixels), format: 'png' });
    const rgb = { width: 1, height: 1, pixels: Uint8Array.from([255, 0, 0]) };
    expect([...(await decodeImage(await encodeRgbPng(rgb), 'red')).pixels]).toEqual([76]);
  });
});
