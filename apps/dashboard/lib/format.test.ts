import { describe, expect, it } from 'vitest';
import { aucInterval, count, decimal, duration, interval, jsonText, list, plural, short } from './format.ts';

describe('numbers', () => {
  it('have fixed decimals, a real minus, and a dash for none', () => {
    expect(decimal(0.456, 2)).toBe('0.46');
    expect(decimal(-0.5, 1)).toBe('−0.5');
    expect(decimal(-0.0001, 2)).toBe('0.00');
    expect([decimal(364166961561.6, 3), decimal(-7e21, 0), decimal(999_999.4, 0)]).toEqual(['3.64e11', '−7.00e21', '999999']);
    expect([decimal(null), decimal(undefined), decimal(Number.NaN)]).toEqual(['–', '–', '–']);
  });

  it('come as intervals only when both ends are known', () => {
    expect(interval(0.03, 0.21)).toBe('(0.03 to 0.21)');
    expect(interval(null, 0.21)).toBe('');
  });

  it('of an AUC say why there is none', () => {
    expect(aucInterval({ low: 0.7, high: 0.8, reason: null })).toBe('(0.700 to 0.800)');
    expect(aucInterval({ low: null, high: null, reason: 'few cases' })).toBe('(few cases)');
    expect(aucInterval({ low: null, high: null, reason: 'no positive image' })).toBe('');
  });

  it('are counted with thin separators and the right noun', () => {
    expect(count(25596)).toBe('25\u2009596');
    expect(count(999)).toBe('999');
    expect([plural(1, 'run'), plural(2, 'run'), plural(0, 'study', 'studies')]).toEqual(['1 run', '2 runs', '0 studies']);
  });
});

describe('durations', () => {
  it.each([
    [-5, '0.0 s'],
    [420, '0.4 s'],
    [9_940, '9.9 s'],
    [9_960, '10 s'],
    [59_700, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [7_805_000, '2 h 10 min'],
  ])('%d ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('words', () => {
  it('are listed as in a sentence', () => {
    expect([list([]), list(['A']), list(['A', 'B']), list(['A', 'B', 'C'])]).toEqual(['', 'A', 'A and B', 'A, B and C']);
  });

  it('show JSON values bare and hashes short', () => {
    expect([jsonText('batch'), jsonText(0.005), jsonText(-1.23456789), jsonText([1, 'a']), jsonText(undefined)]).toEqual([
      'batch',
      '0.005',
      '−1.235',
      '[1,"a"]',
      '–',
    ]);
    expect(short('0123456789')).toBe('01234567');
  });
});
