import type { NumberMap } from './maps.ts';

type Rgb = readonly [number, number, number];

/** matplotlib's "inferno" (CC0), every fifth of its 256 colours; straight lines between them stay within 1.2 of 255. */
const INFERNO =
  '000004 02020c 050417 0a0722 10092d 160b39 1e0c45 260c51 2f0a5b 380962 400a67 490b6a 510e6c 59106e 61136e 69166e 71196e 781c6d 801f6c ' +
  '88226a 902568 982766 a02a63 a82e5f b0315b b73557 bf3952 c63d4d cc4248 d34743 d94d3d df5337 e45a31 e9612b ed6925 f1711f f47918 f78212 ' +
  'f98b0b fa9407 fb9d07 fca60c fcb014 fbba1f fac42a f8cd37 f6d746 f4e156 f2ea69 f2f27d f5f992 fcffa4';

const STOPS = INFERNO.split(' ').map((hex): Rgb => {
  const value = Number.parseInt(hex, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
});

/** Inferno at t in [0, 1]; channels 0..255. */
export function inferno(t: number): Rgb {
  const at = Math.min(Math.max(t, 0), 1) * (STOPS.length - 1);
  const low = Math.min(Math.floor(at), STOPS.length - 2);
  const channel = (index: 0 | 1 | 2): number => {
    const from = STOPS[low]![index];
    return Math.round(from + (STOPS[low + 1]![index] - from) * (at - low));
  };
  return [channel(0), channel(1), channel(2)];
}

/** Grey, 0.5 in the middle. */
export function grey(t: number): Rgb {
  const value = Math.round(255 * t);
  return [value, value, value];
}

/** Blue below zero, black at it, red above: hues that colour-blind eyes tell apart, and nothing that glows in a dark room. */
export function redBlue(t: number): Rgb {
  const share = Math.abs(2 * t - 1);
  const [red, green, blue]: Rgb = t < 0.5 ? [100, 180, 255] : [255, 110, 80];
  return [Math.round(red * share), Math.round(green * share), Math.round(blue * share)];
}

/** The map as RGBA pixels through a colour scale; `top` is the map's value of t = 1. */
export function paint({ values }: NumberMap, scale: (t: number) => Rgb, top: number): Uint8ClampedArray<ArrayBuffer> {
  const table = Array.from({ length: 256 }, (_, index) => scale(index / 255));
  const pixels = new Uint8ClampedArray(values.length * 4);
  for (const [index, value] of values.entries()) {
    const colour = table[Math.min(Math.max(Math.round((255 * value) / top), 0), 255)]!;
    pixels.set(colour, index * 4);
    pixels[index * 4 + 3] = 255;
  }
  return pixels;
}

/** The scale as a CSS gradient, for legends. */
export function gradient(scale: (t: number) => Rgb): string {
  const stops = Array.from({ length: 11 }, (_, index) => `rgb(${scale(index / 10).join(' ')})`);
  return `linear-gradient(to right, ${stops.join(', ')})`;
}
