import { BOXED_FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { boxRegion, iou } from '../map/region.ts';
import { boxCase, noiseMap, uniform } from '../testing.ts';
import { bestBoxIou, bestReachableIou, localizationControls, nihControls, patchControls } from './controls.ts';
import { localization } from './localization.ts';
import { nihLocalization } from './nih.ts';
import type { LocalizationPair } from './types.ts';

const pairs: LocalizationPair[] = Array.from({ length: 120 }, (_, i) => {
  const box = boxCase(i);
  const map = noiseMap(i, { size: 7, box, lift: 0.5 });
  return { image: `${i}.png`, patientId: String(i), finding: BOXED_FINDINGS[i % 2]!, box, map, height: 7, width: 7 };
});

describe('bestReachableIou', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is the best of all unions of cells: box %i', (seed) => {
    const box = boxCase(seed);
    const [height, width] = [
      [3, 4],
      [4, 3],
      [2, 6],
      [1, 9],
    ][seed % 4]! as [number, number];
    const size = 30; // 30 / 4, 30 / 9: cells of unequal sizes
    const truth = boxRegion(box, size);
    let best = 0;
    for (let set = 0; set < 1 << (height * width); set++) {
      const union = truth.map((_, pixel) => {
        const row = Math.floor(((Math.floor(pixel / size) + 0.5) * height) / size);
        const column = Math.floor((((pixel % size) + 0.5) * width) / size);
        return (set >> (row * width + column)) & 1;
      });
      best = Math.max(best, iou(union, truth));
    }
    expect(bestReachableIou(box, { height, width, gridSize: size })).toBeCloseTo(best, 12);
  });

  it('is 1 for a box made of whole cells and on the finest grid, and no less on a grid that is finer', () => {
    expect(bestReachableIou({ x: 256, y: 512, width: 512, height: 256 }, { height: 8, width: 8 })).toBe(1);
    for (let seed = 0; seed < 20; seed++) {
      const box = boxCase(seed);
      const at = (cells: number) => bestReachableIou(box, { height: cells, width: cells });
      expect(at(224)).toBe(1);
      expect(at(28)).toBeGreaterThanOrEqual(at(7)); // every cell of 7 is a union of cells of 28
      expect(at(7)).toBeLessThan(1);
    }
  });
});

describe('bestBoxIou', () => {
  it.each([1, 2, 3, 4, 5, 6])('is the best of all rectangles of cells: box %i', (seed) => {
    const box = boxCase(seed);
    const [height, width, size] = [5, 7, 30];
    const truth = boxRegion(box, size);
    let best = 0;
    const line = (pixel: number, count: number) => Math.floor(((pixel + 0.5) * count) / size);
    for (let top = 0; top < height; top++) {
      for (let bottom = top; bottom < height; bottom++) {
        for (let left = 0; left < width; left++) {
          for (let right = left; right < width; right++) {
            const inside = truth.map((_, pixel) => {
              const [row, column] = [line(Math.floor(pixel / size), height), line(pixel % size, width)];
              return row >= top && row <= bottom && column >= left && column <= right ? 1 : 0;
            });
            best = Math.max(best, iou(inside, truth));
          }
        }
      }
    }
    expect(bestBoxIou(box, { height, width, gridSize: size })).toBeCloseTo(best, 12);
    expect(bestBoxIou(box, { height, width, gridSize: size })).toBeLessThanOrEqual(
      bestReachableIou(box, { height, width, gridSize: size }),
    );
  });
});

describe('nihControls and patchControls', () => {
  const options = { seed: 1, resamples: 0 };

  it.each([
    ['nih', nihControls(pairs, options)],
    ['patches', patchControls(pairs, options)],
  ] as const)('measures by protocol %s on the same pairs, ranked as they must be', (protocol, controls) => {
    for (const control of Object.values(controls)) {
      expect(control.protocol.name).toBe(protocol);
      expect(control.findings.Atelectasis.pairs).toBe(60);
    }
    const of = (which: keyof typeof controls) => controls[which].findings.Atelectasis.meanIou!;
    expect(of('random')).toBeLessThan(of('bestReachable'));
    expect(of('centre')).toBeLessThan(of('bestReachable'));
  });

  it('gives every image one noise map, which a run of that map scores alike', () => {
    const random = nihControls(pairs, options).random;
    expect(nihControls(pairs.toReversed(), options).random.findings.Atelectasis.meanIou).toBeCloseTo(
      random.findings.Atelectasis.meanIou!,
      12,
    );
    expect(nihLocalization(pairs, options).findings.Atelectasis.meanIou).toBeGreaterThan(random.findings.Atelectasis.meanIou!);
  });
});

describe('localizationControls', () => {
  const options = { seed: 1, resamples: 50 };
  const controls = localizationControls(pairs, options);

  it('measures three curves on the same pairs in the same folds', () => {
    const run = localization(pairs, options);
    for (const control of Object.values(controls)) {
      expect(control.protocol).toEqual(run.protocol);
      for (const finding of BOXED_FINDINGS) {
        expect(control.findings[finding].pairs).toBe(run.findings[finding].pairs);
        const folds = ({ scored }: { scored: { ious: (number | null)[] }[] }) =>
          scored.map(({ ious }) => ious.map((value) => value === null));
        expect(folds(control.findings[finding])).toEqual(folds(run.findings[finding]));
      }
    }
  });

  it('is seeded per image and leaves the oracle without a threshold', () => {
    expect(localizationControls(pairs.toReversed(), options).random.findings.Atelectasis.foldThresholds).toEqual(
      controls.random.findings.Atelectasis.foldThresholds,
    );
    expect(controls.bestReachable.findings.Atelectasis.threshold).toBeNull();
    expect(new Set(controls.bestReachable.findings.Atelectasis.foldThresholds)).toEqual(new Set([null]));
  });

  it('ranks as it must: the oracle above everything, a random map below a map that knows the box', () => {
    const run = localization(pairs, options);
    for (const finding of ['Atelectasis', 'Cardiomegaly'] as const) {
      const [low, own, high] = [controls.random, run, controls.bestReachable].map((result) => result.findings[finding].meanIou!);
      expect(low).toBeLessThan(own!);
      expect(own).toBeLessThan(high!);
    }
  });

  it('peaks in the middle: the centre prior finds a central box', () => {
    const central = pairs.map((pair, i) => ({
      ...pair,
      box: { x: 300 + 50 * uniform(1, i), y: 300 + 50 * uniform(2, i), width: 400, height: 400 },
    }));
    expect(localizationControls(central, options).centre.findings.Atelectasis.meanIou).toBeGreaterThan(0.6);
  });
});
