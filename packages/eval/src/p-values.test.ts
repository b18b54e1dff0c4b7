import { describe, expect, it } from 'vitest';
import reference from '../reference/paired.json' with { type: 'json' };
import { bootstrapP, holm, normalP } from './p-values.ts';

describe('normalP', () => {
  // reference/paired.py: SciPy's norm.sf; relative, down to 1e-299
  it.each(reference.normal)('agrees with SciPy at z = $z', ({ z, p }) => {
    expect(Math.abs(normalP(z) / p - 1)).toBeLessThan(1e-12);
    expect(normalP(-z)).toBe(normalP(z));
  });
});

describe('bootstrapP', () => {
  it('counts draws on the other side of zero twice, zeros on both sides, one draw added', () => {
    expect(bootstrapP([1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe(2 / 10);
    expect(bootstrapP([-1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe(4 / 10);
    expect(bootstrapP([-1, 0, 3, 4, 5, 6, 7, 8, 9])).toBe(6 / 10);
    expect(bootstrapP([0, 0, 0])).toBe(1);
    expect(bootstrapP([-1, -2, -3, 1e-17])).toBe(4 / 5);
  });

  it('is the same for turned draws', () => {
    const draws = [-1, 0, 3, 4, 5, 6, 7, 8, 9];
    expect(bootstrapP(draws.map((value) => -value))).toBe(bootstrapP(draws));
  });
});

describe('holm', () => {
  // reference/paired.py: statsmodels' multipletests
  it.each(reference.holm)('agrees with statsmodels: $p', ({ p, adjusted }) => {
    for (const [index, value] of holm(p).entries()) expect(value!.adjustedP).toBeCloseTo(adjusted[index]!, 14);
  });

  it('leaves out what was not tested', () => {
    expect(holm([null, 0.01, null, 0.05])).toEqual([
      null,
      { adjustedP: 0.02, p: 0.01, factor: 2 },
      null,
      { adjustedP: 0.05, p: 0.05, factor: 1 },
    ]);
  });

  it('names the p-value that an adjusted one comes from: a smaller one where that is larger', () => {
    const first = { adjustedP: 0.03, p: 0.01, factor: 3 };
    expect(holm([0.012, 0.01, 0.9])).toEqual([first, first, { adjustedP: 0.9, p: 0.9, factor: 1 }]);
    expect(holm([0.6, 0.7])).toEqual([
      { adjustedP: 1, p: 0.6, factor: 2 },
      { adjustedP: 1, p: 0.6, factor: 2 },
    ]);
    expect(holm([null])).toEqual([null]);
    expect(holm([])).toEqual([]);
  });
});
