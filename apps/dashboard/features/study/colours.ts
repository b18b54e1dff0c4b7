import type { NumberMap } from './maps.ts';

type Rgb = readonly [number, number, number];

/** Matplotlib's inferno as polynomials of degree six in t (coefficients by M. Zucker, from the published table), within 2 of 255. */
const INFERNO: readonly Rgb[] = [
  [0.0002189403691192265, 0.001651004631001012, -0.01948089843709184],
  [0.1065134194856116, 0.5639564367884091, 3.932712388889277],
  [11.60249308247187, -3.972853965665698, -15.9423941062914],
  [-41.70399613139459, 17.43639888205313, 44.35414519872813],
  [77.162935699427, -33.40235894210092, -81.80730925738993],
  [-71.31942824499214, 32.62606426397723, 73.20951985803202],
  [25.13112622477341, -12.24266895238567, -23.07032500287172],
];

/** Inferno at t in [0, 1]; channels 0..255. */
export function inferno(t: number): Rgb {
  const channel = (index: 0 | 1 | 2): number => {
    const value = INFERNO.reduceRight((sum, term) => sum * t + term[index], 0);
    return Math.round(255 * Math.min(Math.max(value, 0), 1));
  };
  return [channel(0), channel(1), channel(2)];
}

/** Grey, 0.5 in the middle. */
export function grey(t: number): Rgb {
  const value = Math.round(255 * t);
  return [value, value, value];
}

/** Blue below zero, white at it, red above: hues that colour-blind eyes tell apart. */
export function redBlue(t: number): Rgb {
  const share = Math.abs(2 * t - 1);
  const end: Rgb = t < 0.5 ? [5, 80, 160] : [178, 24, 43];
  return [mix(end[0], share), mix(end[1], share), mix(end[2], share)];
}

function mix(end: number, share: number): number {
  return Math.round(255 + (end - 255) * share);
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
