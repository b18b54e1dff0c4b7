import { describe, expect, it } from 'vitest';
import { epochOrder, mirroredPositions, perturbedHalf, perturbedPositions, stepsOf } from './order.ts';

const rows = Array.from({ length: 50 }, (_, index) => 100 + index);
const at = { seed: 0, epoch: 1, step: 2 };

describe('the order of training', () => {
  it('holds every image once, another order each epoch, the same for the same seed', () => {
    const first = epochOrder(rows, 0, 1);
    expect([...first].sort((a, b) => a - b)).toEqual(rows);
    expect(epochOrder(rows, 0, 1)).toEqual(first);
    expect(epochOrder(rows, 0, 2)).not.toEqual(first);
    expect(epochOrder(rows, 1, 1)).not.toEqual(first);
  });

  it('drops the last incomplete batch', () => {
    expect([stepsOf(64, 32), stepsOf(95, 32), stepsOf(31, 32)]).toEqual([2, 2, 0]);
  });

  it('perturbs floor(B / 2) of a batch, drawn anew each epoch and step', () => {
    const mask = perturbedPositions(33, 0.5, at);
    expect(mask.reduce((sum, one) => sum + one, 0)).toBe(16);
    expect(perturbedPositions(33, 0.5, at)).toEqual(mask);
    expect(perturbedPositions(33, 0.5, { ...at, epoch: 2 })).not.toEqual(mask);
    expect(perturbedPositions(33, 0.5, { ...at, step: 3 })).not.toEqual(mask);
  });

  it('mirrors about half of the images, drawn anew each epoch and step', () => {
    const mask = mirroredPositions(1000, at);
    const share = mask.reduce((sum, one) => sum + one, 0) / 1000;
    // four standard deviations
    expect(Math.abs(share - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / 1000));
    expect(mirroredPositions(1000, at)).toEqual(mask);
    expect(mirroredPositions(1000, { ...at, epoch: 2 })).not.toEqual(mask);
    expect(mirroredPositions(1000, { ...at, step: 3 })).not.toEqual(mask);
  });

  it('perturbs one fixed half of the validation images', () => {
    const half = perturbedHalf(51, 0.5, 0);
    expect(half).toHaveLength(25);
    expect(new Set(half).size).toBe(25);
    expect(half).toEqual(perturbedHalf(51, 0.5, 0));
    expect(half).not.toEqual(perturbedHalf(51, 0.5, 1));
  });
});
