import { describe, expect, it } from 'vitest';
import { bandPath, lastPoint, linePath, spreadLabels } from './path.ts';
import { linear, niceTicks, ticks } from './scale.ts';
import { cellText, toCsv } from './sheet.ts';

const same = (value: number): number => value;

describe('scales', () => {
  it('go from domain to range and back, clamped', () => {
    const y = linear([0, 1], [200, 0]);
    expect([y(0), y(0.25), y(1)]).toEqual([200, 150, 0]);
    expect([y.invert(150), y.invert(-50), y.invert(999)]).toEqual([0.25, 1, 0]);
    expect(linear([3, 3], [0, 10])(3)).toBe(0);
  });

  it('have round ticks inside the domain', () => {
    expect(ticks([0.4, 1], 6)).toEqual([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(ticks([1, 14], 6)).toEqual([2, 4, 6, 8, 10, 12, 14]);
    expect(ticks([2, 2], 4)).toEqual([2]);
  });

  it('have round ticks around the values that are there', () => {
    expect(niceTicks([0.62, 1.37, null, 0.71])).toEqual([0.6, 0.8, 1, 1.2, 1.4]);
    expect(niceTicks([13.9, 25.2])).toEqual([12, 14, 16, 18, 20, 22, 24, 26]);
    expect(niceTicks([])).toEqual([0, 1]);
    const alike = niceTicks([0.5, 0.5]);
    expect(alike[0]).toBeLessThanOrEqual(0.5);
    expect(alike.at(-1)).toBeGreaterThan(0.5);
  });
});

describe('paths', () => {
  it('leave a gap where a value is missing', () => {
    const points = [
      { x: 0, y: 1 },
      { x: 1, y: 2 },
      { x: 2, y: null },
      { x: 3, y: 4 },
    ];
    expect(linePath(points, same, same)).toBe('M0,1L1,2M3,4');
    expect(lastPoint(points)).toEqual({ x: 3, y: 4 });
    expect(lastPoint([{ x: 0, y: null }])).toBeNull();
  });

  it('close a band along its upper and back along its lower edge', () => {
    const points = [
      { x: 0, y: 1, low: 0, high: 2 },
      { x: 1, y: 1, low: 0.5, high: 1.5 },
      { x: 2, y: 1, low: null, high: 3 },
    ];
    expect(bandPath(points, same, same)).toBe('M0,2L1,1.5L1,0.5L0,0Z');
    expect(bandPath(points.slice(2), same, same)).toBe('');
  });
});

describe('labels at the ends of lines', () => {
  it('stay where they wish when there is room', () => {
    expect(spreadLabels([10, 90, 50], 13, 0, 100)).toEqual([10, 90, 50]);
  });

  it('keep their order, their distance and the limits', () => {
    const wishes = [99, 100, 98, 100, 20];
    const placed = spreadLabels(wishes, 13, 0, 100);
    const order = (values: number[]): number[] => values.map((_, index) => index).sort((a, b) => values[a]! - values[b]! || a - b);
    expect(order(placed)).toEqual(order(wishes));
    const sorted = placed.toSorted((a, b) => a - b);
    for (const [index, value] of sorted.slice(1).entries()) expect(value - sorted[index]!).toBeGreaterThanOrEqual(13 - 1e-9);
    expect(sorted.at(-1)).toBeLessThanOrEqual(100);
    expect(placed[4]).toBe(20);
  });

  it('are spread evenly when there is no room', () => {
    expect(spreadLabels([5, 5, 5], 13, 0, 10)).toEqual([0, 5, 10]);
    expect(spreadLabels([], 13, 0, 10)).toEqual([]);
  });
});

describe('tables', () => {
  const sheet = {
    name: 'x',
    columns: ['Finding', 'AUC'],
    rows: [
      ['Mass, "big"', 0.123456],
      ['=1+1', null],
    ],
  } as const;

  it('become CSV with full precision, quoted fields and harmless formulas', () => {
    expect(toCsv(sheet)).toBe('Finding,AUC\r\n"Mass, ""big""",0.123456\r\n\'=1+1,\r\n');
  });

  it('read with three decimals', () => {
    expect([cellText(0.123456), cellText(18), cellText(null), cellText('Mass')]).toEqual(['0.123', '18', '–', 'Mass']);
  });
});
