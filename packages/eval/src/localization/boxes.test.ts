import { describe, expect, it } from 'vitest';
import reference from '../../reference/boxes.json' with { type: 'json' };
import { regionParts } from '../map/parts.ts';
import { boxCase, noiseMap, referencePairs, uniform } from '../testing.ts';
import { mapOverlaps, nihLocalization, overlap } from './nih.ts';
import { patchLocalization } from './patches.ts';
import type { LocalizationPair } from './types.ts';

/** 16 x 16 pixels of the original are 3.5 x 3.5 of the grid: boxes in steps of 64 pixels have whole sides of 14. */
const CELL = 64;

/** A 16 x 16 map that is 1 in some cells and 0 elsewhere. */
function cells(...on: [row: number, column: number][]): Float32Array {
  const map = new Float32Array(256);
  for (const [row, column] of on) map[row * 16 + column] = 1;
  return map;
}

function pair(change: Partial<LocalizationPair>): LocalizationPair {
  const box = { x: 4 * CELL, y: 6 * CELL, width: 2 * CELL, height: CELL };
  return { image: 'a.png', patientId: '1', finding: 'Mass', box, map: cells([6, 4]), height: 16, width: 16, ...change };
}

describe('regionParts', () => {
  // reference/boxes.py: scipy.ndimage.label and find_objects
  it.each(reference.parts)('agrees with scipy.ndimage: size $size, rate $rate', ({ seed, size, rate, parts }) => {
    const inside = Uint8Array.from({ length: size * size }, (_, i) => (uniform(seed, i) < rate ? 1 : 0));
    const found = regionParts(inside, size).map(({ pixels, box }) => [pixels, box.top, box.bottom, box.left, box.right]);
    expect(found).toEqual(parts);
  });

  it('joins by corners', () => {
    expect(regionParts(Uint8Array.of(1, 0, 0, 1), 2)).toHaveLength(1);
    expect(regionParts(Uint8Array.of(1, 0, 0, 0, 0, 0, 1, 0, 0), 3)).toHaveLength(2);
  });
});

describe('protocol nih', () => {
  const pairs = referencePairs(reference.nih.seed);

  it('finds the boxes that scipy.ndimage finds', () => {
    expect(reference.nih.pairs).toHaveLength(pairs.length);
    for (const [index, [count, iou, iobb, sumIou, sumIobb]] of reference.nih.pairs.entries()) {
      const boxes = mapOverlaps(pairs[index]!);
      expect(boxes).toHaveLength(count!);
      expect(Math.max(0, ...boxes.map((box) => box.iou))).toBeCloseTo(iou!, 12);
      expect(Math.max(0, ...boxes.map((box) => box.iobb))).toBeCloseTo(iobb!, 12);
      expect(boxes.reduce((total, box) => total + box.iou, 0)).toBeCloseTo(sumIou!, 10);
      expect(boxes.reduce((total, box) => total + box.iobb, 0)).toBeCloseTo(sumIobb!, 10);
    }
  });

  it('scores every pair once by its best box, and counts the boxes that miss', () => {
    const result = nihLocalization(pairs, { seed: 0, resamples: 100 });
    expect(result.protocol.name).toBe('nih');
    const curve = result.findings.Atelectasis;
    const best = reference.nih.pairs.filter((_, index) => pairs[index]!.finding === 'Atelectasis');
    expect(curve.threshold).toBeNull();
    expect(curve.scored.map(({ ious }) => ious.length)).toEqual(best.map(() => 1));
    for (const [t, { iouThreshold, accuracy, low, high, sd }] of curve.points.entries()) {
      expect(accuracy).toBeCloseTo(best.filter(([, iou]) => iou! > iouThreshold).length / best.length, 12);
      expect(curve.iobb.points[t]!.accuracy).toBeCloseTo(best.filter(([, , iobb]) => iobb! > iouThreshold).length / best.length, 12);
      expect([low! <= accuracy!, high! >= accuracy!, sd]).toEqual([true, true, null]);
    }
    expect(result.findings.Pneumonia).toMatchObject({ pairs: 0, reason: 'no pairs', falsePositives: null, iobb: { falsePositives: null } });
  });

  it('measures a box by hand', () => {
    // 14 x 14 pixels against a box of 14 x 28: inside it, half of them outside, below it
    const truth = { top: 84, bottom: 98, left: 56, right: 84 };
    expect(overlap({ top: 84, bottom: 98, left: 56, right: 70 }, truth)).toEqual({ iou: 0.5, iobb: 1 });
    expect(overlap({ top: 84, bottom: 98, left: 77, right: 91 }, truth)).toEqual({ iou: 1 / 5, iobb: 0.5 });
    expect(overlap({ top: 98, bottom: 112, left: 56, right: 70 }, truth)).toEqual({ iou: 0, iobb: 0 });
  });

  it('makes a box around every part of either level: two spots, one of them low', () => {
    const map = cells([6, 4], [6, 5], [1, 12]);
    map[1 * 16 + 12] = 0.5; // below 180 of 255, above 60
    const { Mass } = nihLocalization([pair({ map })], { seed: 0, resamples: 0 }).findings;
    expect(mapOverlaps(pair({ map }))).toHaveLength(3);
    expect(Mass.points[3]!.accuracy).toBe(1);
    // the low spot never hits; at T = 0.7 the wide box of level 60 misses too
    expect(Mass.falsePositives![0]).toBe(1);
    expect(Mass.iobb.falsePositives!.at(-1)).toBeGreaterThanOrEqual(1);
    expect(Mass.reason).toBe('few pairs');
  });

  it('counts IoU above T alone as a hit, and a box that both levels give twice', () => {
    const size = 224;
    const map = Float32Array.from({ length: size * size }, (_, i) => {
      const [row, column] = [Math.floor(i / size), i % size];
      return row >= 84 && row < 98 && column >= 56 && column < 70 ? 1 : 0; // the left half of the box
    });
    const { Mass } = nihLocalization([pair({ map, height: size, width: size })], { seed: 0, resamples: 0 }).findings;
    expect(Mass.points.map(({ accuracy }) => accuracy)).toEqual([1, 1, 1, 1, 0, 0, 0]);
    expect(Mass.falsePositives).toEqual([0, 0, 0, 0, 2, 2, 2]);
    expect(Mass.iobb).toMatchObject({ falsePositives: [0, 0, 0, 0, 0, 0, 0] });
    expect(Mass.iobb.points.map(({ accuracy }) => accuracy)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  it('finds nothing in a constant map, and names a map that is not finite', () => {
    const flat = nihLocalization([pair({ map: new Float32Array(256).fill(3) })], { seed: 0, resamples: 0 }).findings.Mass;
    expect([flat.points[0]!.accuracy, flat.falsePositives![0], flat.meanIou]).toEqual([0, 0, 0]);
    expect(() => nihLocalization([pair({ map: new Float32Array(256).fill(Number.NaN) })], { seed: 0 })).toThrow('Mass map of a.png');
    expect(() => nihLocalization([pair({}), pair({})], { seed: 0 })).toThrow('two Mass pairs of a.png');
  });
});

describe('protocol patches', () => {
  // reference/boxes.py: masks of all pixels
  it.each(reference.patches)('agrees with masks of all pixels: seed $seed, $cells x $cells', ({ seed, cells: size, iou }) => {
    const box = boxCase(seed);
    const base = noiseMap(seed, { size, box, lift: 0 });
    const raised = noiseMap(seed, { size, box, lift: 1 });
    const map = base.map((value, i) => value * 0.75 + (raised[i]! > value ? 0.25 : 0));
    const { Mass } = patchLocalization([pair({ box, map, height: size, width: size })], { seed: 0, resamples: 0 }).findings;
    expect(Mass.meanIou).toBeCloseTo(iou, 12);
  });

  it('takes patches above one half, not at it, whatever the scale of the map', () => {
    const half = cells([6, 4], [6, 5]).map((value) => value / 2);
    expect(patchLocalization([pair({ map: half })], { seed: 0 }).findings.Mass.meanIou).toBe(0);
    const { findings, protocol } = patchLocalization([pair({ map: half.map((value) => value * 1.1) })], { seed: 0 });
    expect(findings.Mass.meanIou).toBe(1);
    expect(findings.Mass.foldThresholds).toEqual([null]);
    expect(protocol.name).toBe('patches');
    // one patch of two: half of the box
    expect(patchLocalization([pair({})], { seed: 0 }).findings.Mass.meanIou).toBe(0.5);
  });

  it('refuses logits and maps of another shape, naming the image', () => {
    const map = cells([6, 4]).map((value) => value * 3 - 1);
    expect(() => patchLocalization([pair({ map })], { seed: 0 })).toThrow(/Mass map of a.png: patch score -1: expected a probability/);
    expect(() => patchLocalization([pair({ height: 15 })], { seed: 0 })).toThrow('map of 256 values: expected 15 x 16');
  });
});
