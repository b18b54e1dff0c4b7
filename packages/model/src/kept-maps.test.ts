import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BoxedFinding, decodeNpy, encodeNpy, random, readMapScales, scaledBack } from '@cxr-lens/data';
import { pairIous, patchLocalization } from '@cxr-lens/eval';
import { beforeEach, describe, expect, it } from 'vitest';
import { keepMaps, mapName, writeMap } from './kept-maps.ts';
import { temporaryFolder } from './tests/tiny-data.ts';

const SIDE = 12;
const finding: BoxedFinding = 'Mass';
const rng = random('kept maps');
const MAP = Float32Array.from({ length: SIDE * SIDE }, () => rng.next() - 0.3);
const FLOAT32_MAX = 3.4028234663852886e38;

let folder: string;
beforeEach(async () => {
  folder = path.join(await temporaryFolder(), 'maps');
});

const times = (factor: number, map = MAP): Float32Array => map.map((value) => value * factor);
const keep = (map: Float32Array, image = 'a.png') => writeMap(folder, { image, finding, map, height: SIDE, width: SIDE });
const fileOf = (image = 'a.png') => path.join(folder, mapName({ image, finding }));
/** What a reader makes of the file and scales.json. */
const read = (image = 'a.png'): Float32Array => {
  const values = decodeNpy(readFileSync(fileOf(image)), image).data as Float32Array;
  return scaledBack(values, readMapScales(folder)[mapName({ image, finding })]);
};
const iousOf = (map: Float32Array): Float64Array =>
  pairIous({ image: 'a.png', patientId: '1', finding, box: { x: 200, y: 300, width: 400, height: 300 }, map, height: SIDE, width: SIDE })
    .ious;

describe('a map that fits float16', () => {
  it.each([1, 100, 60_000, 2 ** -13, 65_519 / MAP.reduce((a, b) => Math.max(a, b)), 0])(
    'is kept bit for bit as before: times %d',
    (factor) => {
      const map = times(factor);
      const { stored, scale } = keep(map);
      expect(scale).toBeUndefined();
      expect(Buffer.compare(readFileSync(fileOf()), encodeNpy(map, [SIDE, SIDE], 'float16'))).toBe(0);
      keepMaps(folder, [{ image: 'a.png', finding }], {});
      expect(readdirSync(folder)).toEqual([path.basename(fileOf())]);
      expect(read()).toEqual(stored);
    },
  );
});

describe('a map that does not', () => {
  const greatest = MAP.reduce((a, b) => Math.max(a, Math.abs(b)), 0);

  // below 2^-126 float32 itself has fewer digits
  it.each([-100, -80, -40, -20, -15, 17, 18, 40, 80, 127])('loses no region, and comes back from the files: times 2^%d', (exponent) => {
    const { stored, scale } = keep(times(2 ** exponent));
    expect(scale).toBe(2 ** Math.round(Math.log2(scale!)));
    keepMaps(folder, [{ image: 'a.png', finding }], { [mapName({ image: 'a.png', finding })]: scale! });
    expect(read()).toEqual(stored);
    expect(iousOf(stored)).toEqual(iousOf(keep(MAP).stored));
    for (const [i, value] of stored.entries()) {
      expect(Math.abs(value / 2 ** exponent - MAP[i]!)).toBeLessThanOrEqual(greatest * 2 ** -11);
    }
  });

  it('keeps its regions where float16 would make it zero, with values of both signs, and where it spans float32', () => {
    expect(iousOf(keep(times(1e-9)).stored).some((iou) => iou > 0)).toBe(true);
    const wide = Float32Array.from(MAP, (value, i) => (i === 0 ? -FLOAT32_MAX : i === 1 ? FLOAT32_MAX : value));
    const { stored } = keep(wide);
    expect(stored.every(Number.isFinite)).toBe(true);
    expect(iousOf(stored)).toEqual(iousOf(wide));
    expect(keep(new Float32Array(SIDE * SIDE).fill(1e-45)).stored[0]).toBe(Math.fround(1e-45));
  });

  it('keeps the threshold of patches, which is no share of their range', () => {
    const pair = { image: 'a.png', patientId: '1', finding, box: { x: 0, y: 0, width: 500, height: 500 }, height: SIDE, width: SIDE };
    const faint = keep(times(1e-6, MAP.map(Math.abs))).stored;
    expect(patchLocalization([{ ...pair, map: faint }], { seed: 0 }).findings.Mass.scored[0]!.ious).toEqual([0]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('is refused with its name where it holds %d', (value) => {
    const map = MAP.slice();
    map[7] = value;
    expect(() => keep(map)).toThrow(new RegExp(`The Mass map of a\\.png holds ${value}: .* smaller learningRate`));
  });
});

describe('scales.json', () => {
  const scales = { [mapName({ image: 'a.png', finding })]: 2 ** 30 };

  it('is written with the maps it names, and goes with them', () => {
    keep(times(2 ** 40));
    keep(MAP, 'b.png');
    writeFileSync(path.join(folder, 'stray.npy'), '');
    const both = ['a.png', 'b.png'].map((image) => ({ image, finding }));
    keepMaps(folder, both, scales);
    expect(readMapScales(folder)).toEqual(scales);
    expect(readdirSync(folder).sort()).toEqual(['a.Mass.npy', 'b.Mass.npy', 'scales.json']);
    keepMaps(folder, both, {});
    expect(readMapScales(folder)).toEqual({});
  });

  it('is the same after an evaluation was stopped between maps and scales', () => {
    const whole = keep(times(2 ** 40));
    keepMaps(folder, [{ image: 'a.png', finding }], { [mapName({ image: 'a.png', finding })]: whole.scale! });
    const expected = read();
    // another evaluation with maps that fit, stopped before it was finished; then the first again
    keep(MAP);
    const again = keep(times(2 ** 40));
    keepMaps(folder, [{ image: 'a.png', finding }], { [mapName({ image: 'a.png', finding })]: again.scale! });
    expect(read()).toEqual(expected);
  });

  it.each(['{"a.Mass.npy": 3}', '{"a.Mass.npy": 0}', '{"a.Mass.npy": -2}', '{"a.Mass.npy": "4"}', '[', '[1]'])(
    'is refused if it is no table of powers of two: %s',
    (text) => {
      keep(MAP);
      writeFileSync(path.join(folder, 'scales.json'), text);
      expect(() => readMapScales(folder)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    },
  );
});
