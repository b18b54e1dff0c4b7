import { describe, expect, it } from 'vitest';
import reference from '../../reference/maps.json' with { type: 'json' };
import { boxCase, noiseMap, uniform } from '../testing.ts';
import { cam, scaleTo255 } from './cam.ts';
import { boxRegion, gridBox, iou, region, regionBox } from './region.ts';
import { upsampleBilinear } from './resample.ts';
import { saliencyImage } from './saliency.ts';
import { binMap, thresholdIous } from './threshold-ious.ts';

const NO_BOX = { x: 0, y: 0, width: 0, height: 0 };

function transpose(map: Float32Array, height: number, width: number): Float32Array {
  return Float32Array.from(map, (_, i) => map[(i % height) * width + Math.floor(i / height)]!);
}

describe('cam', () => {
  it('is the head applied to every cell, and its mean is the logit without bias', () => {
    const features = Float32Array.from({ length: 3 * 4 * 5 }, (_, i) => uniform(1, i));
    const weights = Float32Array.from({ length: 5 }, (_, k) => uniform(2, k) - 0.5);
    const map = cam({ features, height: 3, width: 4, channels: 5 }, weights);
    expect(map[7]).toBeCloseTo(
      [0, 1, 2, 3, 4].reduce((total, k) => total + features[35 + k]! * weights[k]!, 0),
      6,
    );
    const pooled = weights.reduce((total, w, k) => total + (w * features.filter((_, i) => i % 5 === k).reduce((a, b) => a + b)) / 12, 0);
    expect(map.reduce((a, b) => a + b) / 12).toBeCloseTo(pooled, 6);
  });

  it('refuses shapes that do not fit', () => {
    expect(() => cam({ features: new Float32Array(11), height: 2, width: 2, channels: 3 }, new Float32Array(3))).toThrow(
      'expected 2 x 2 x 3',
    );
  });
});

describe('upsampleBilinear', () => {
  // reference/maps.py: SciPy's linear interpolation in float64; 1e-6 is the rounding of the result to float32
  it.each(reference.resample)('agrees with SciPy: $height x $width to $outHeight x $outWidth', (expected) => {
    const { height, width, outHeight, outWidth } = expected;
    const size = Math.max(height, width);
    const square = noiseMap(expected.seed, { size, box: NO_BOX, lift: 0 });
    const map = Float32Array.from({ length: height * width }, (_, i) => square[Math.floor(i / width) * size + (i % width)]!);
    const out = upsampleBilinear(map, height, width, outHeight, outWidth);
    for (const [k, sample] of expected.samples.entries()) expect(Math.abs(out[k * expected.step]! - sample)).toBeLessThan(1e-6);
    expect(out.reduce((a, b) => a + b) / out.length).toBeCloseTo(expected.mean, 6);
  });

  it('is the identity at its own size, keeps constants, and commutes with transposition', () => {
    const map = noiseMap(3, { size: 12, box: NO_BOX, lift: 0 }).subarray(0, 12 * 9); // 12 x 9
    expect(upsampleBilinear(map, 12, 9, 12, 9)).toEqual(map);
    expect(new Set(upsampleBilinear(new Float32Array(6).fill(0.3), 2, 3, 50, 40))).toEqual(new Set([Math.fround(0.3)]));
    const turned = upsampleBilinear(transpose(map, 12, 9), 9, 12, 70, 50);
    const expected = transpose(upsampleBilinear(map, 12, 9, 50, 70), 50, 70);
    expect(Math.max(...turned.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-6);
  });

  it('refuses a map that does not fit its shape', () => {
    expect(() => upsampleBilinear(new Float32Array(5), 2, 3, 4, 4)).toThrow('map of 5 values: expected 2 x 3');
  });
});

describe('scaleTo255', () => {
  it('maps minimum to 0 and maximum to exactly 255', () => {
    for (let seed = 0; seed < 200; seed++) {
      const map = Float32Array.from({ length: 20 }, (_, i) => (uniform(seed, i) - 0.5) * 10 ** ((seed % 20) - 10));
      const scaled = scaleTo255(map)!;
      expect(Math.min(...scaled)).toBe(0);
      expect(Math.max(...scaled)).toBe(255);
    }
  });

  it('has no answer for a constant map and refuses NaN', () => {
    expect(scaleTo255(new Float32Array(4).fill(2))).toBeNull();
    expect(() => scaleTo255(Float32Array.of(1, Number.NaN))).toThrow('map value 1 is NaN');
    expect(() => scaleTo255(Float32Array.of(1, -Infinity))).toThrow('map value 1 is -Infinity');
  });
});

describe('boxRegion', () => {
  it.each(reference.boxes)('takes the pixels whose centre lies in the box: seed $seed on $size', ({ seed, size, area, ...edges }) => {
    expect(gridBox(boxCase(seed), size)).toEqual(edges);
    expect(boxRegion(boxCase(seed), size).reduce((a, b) => a + b)).toBe(area);
  });

  it('is closed at the left and open at the right edge', () => {
    const size = 1024; // pixel j has its centre at j + 0.5
    expect(gridBox({ x: 10.5, y: 10.6, width: 5, height: 5 }, size)).toEqual({ left: 10, right: 15, top: 11, bottom: 16 });
    expect(gridBox({ x: 0, y: 0, width: 1024, height: 1024 }, size)).toEqual({ left: 0, right: 1024, top: 0, bottom: 1024 });
    expect(boxRegion({ x: 3, y: 3, width: 1, height: 1 }, 224).some((value) => value === 1)).toBe(false); // between two centres
  });
});

describe('iou', () => {
  const a = boxRegion(boxCase(1));
  const b = boxRegion(boxCase(2));
  it('is 1 with itself, symmetric, 0 without overlap and for two empty regions', () => {
    expect(iou(a, a)).toBe(1);
    expect(iou(a, b)).toBe(iou(b, a));
    expect(iou(Uint8Array.of(1, 0), Uint8Array.of(0, 1))).toBe(0);
    expect(iou(new Uint8Array(2), new Uint8Array(2))).toBe(0);
    expect(() => iou(a, new Uint8Array(3))).toThrow('expected one grid');
  });
});

describe('thresholdIous', () => {
  it.each([28, 7, 224])('equals 256 passes over regions of a map of side %i', (size) => {
    const box = boxCase(3);
    const map = noiseMap(9, { size, box, lift: 0.5 });
    const scaled = scaleTo255(upsampleBilinear(map, size, size, 224, 224))!;
    const slow = Array.from({ length: 256 }, (_, threshold) => iou(region(scaled, threshold), boxRegion(box)));
    expect(Array.from(thresholdIous(binMap(map, { height: size, width: size }), box))).toEqual(slow);
  });

  it('does not change when image and box are transposed', () => {
    const box = boxCase(4);
    const map = noiseMap(10, { size: 14, box, lift: 0.25 }).subarray(0, 14 * 9);
    const turned = { x: box.y, y: box.x, width: box.height, height: box.width };
    // rows first or columns first rounds differently: a pixel at an edge of a bin may change sides
    const a = thresholdIous(binMap(map, { height: 14, width: 9 }), box);
    const b = thresholdIous(binMap(transpose(map, 14, 9), { height: 9, width: 14 }), turned);
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(0.002);
  });

  it('is 1 at 255 for the box itself as a map, and 0 everywhere for a constant map', () => {
    const box = { x: 256, y: 128, width: 300, height: 400 };
    const map = Float32Array.from(boxRegion(box));
    const ious = thresholdIous(binMap(map, { height: 224, width: 224 }), box);
    expect(ious[255]).toBe(1);
    expect(ious[1]).toBe(1);
    expect(ious[0]).toBeCloseTo((300 * 400) / 1024 ** 2, 2);
    expect(thresholdIous(binMap(new Float32Array(4), { height: 2, width: 2 }), box).every((value) => value === 0)).toBe(true);
  });
});

describe('regionBox', () => {
  it('bounds the largest 8-connected part, in pixels of the 1024 x 1024 file', () => {
    const size = 8; // a pixel is 128 wide
    const inside = new Uint8Array(64);
    for (const pixel of [0, 9, 18]) inside[pixel] = 1; // a diagonal of three
    for (const pixel of [6, 7]) inside[pixel] = 1; // two apart
    expect(regionBox(inside, size)).toEqual({ x: 0, y: 0, width: 384, height: 384 });
    inside.fill(1, 40, 44);
    expect(regionBox(inside, size)).toEqual({ x: 0, y: 640, width: 512, height: 128 });
    expect(regionBox(new Uint8Array(64), size)).toBeNull();
  });

  it('gives a rectangular region back', () => {
    const edges = gridBox(boxCase(5));
    const found = regionBox(boxRegion(boxCase(5)))!;
    expect(gridBox(found)).toEqual(edges);
  });

  it('does not join the right edge of a row with the left edge of the next', () => {
    const inside = new Uint8Array(16);
    inside[3] = 1;
    inside[4] = 1;
    expect(regionBox(inside, 4)).toEqual({ x: 768, y: 0, width: 256, height: 256 });
  });
});

describe('saliencyImage', () => {
  it('puts zero at 0.5, three standard deviations at the ends, and mirrors with the sign', () => {
    const gradient = Float32Array.from({ length: 400 }, (_, i) => (uniform(1, i) - 0.5) ** 5);
    gradient[0] = 0;
    gradient[1] = 10;
    gradient[2] = -10;
    const image = saliencyImage(gradient);
    expect([image[0], image[1], image[2]]).toEqual([0.5, 1, 0]);
    const mirrored = saliencyImage(gradient.map((value) => -value));
    for (const [i, value] of image.entries()) expect(mirrored[i]).toBeCloseTo(1 - value, 6);
    const mean = gradient.reduce((a, b) => a + b) / 400;
    const sd = Math.sqrt(gradient.reduce((a, b) => a + (b - mean) ** 2, 0) / 400);
    expect(image[5]).toBeCloseTo(0.5 + gradient[5]! / (6 * sd), 6);
  });

  it('is 0.5 everywhere for no gradient', () => {
    expect(saliencyImage(new Float32Array(3))).toEqual(Float32Array.of(0.5, 0.5, 0.5));
  });
});
