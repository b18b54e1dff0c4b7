import { expect, it } from 'vitest';
import { learningRateAfter } from './learning-rate.ts';

const after = (losses: number[], plateauPatience: number): number =>
  learningRateAfter(
    losses.map((validationLoss) => ({ validationLoss })),
    { learningRate: 0.001, plateauPatience },
  );

it('is a tenth after every plateau, counted anew after each', () => {
  expect(after([], 1)).toBe(0.001);
  expect(after([3, 2, 1], 1)).toBe(0.001);
  expect(after([3, 3], 1)).toBeCloseTo(1e-4, 12);
  expect(after([3, 4, 2, 2.5], 1)).toBeCloseTo(1e-5, 12);
  expect(after([3, 4, 2, 2.5], 2)).toBe(0.001);
  expect(after([3, 4, 5, 2, 2.5, 2, 1], 2)).toBeCloseTo(1e-5, 12);
  expect(after([3, 4, 5, 6, 7], 2)).toBeCloseTo(1e-5, 12);
});

it('is never divided by a patience of 0', () => {
  expect(after([1, 2, 3, 4], 0)).toBe(0.001);
});
