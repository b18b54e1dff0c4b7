import { expect, it } from 'vitest';
import { aucInterval } from './words.ts';

it('an AUC has its interval, or the reason why it has none, or nothing', () => {
  expect(aucInterval({ low: 0.512, high: 0.7, reason: null })).toBe(' (0.51 to 0.70)');
  expect(aucInterval({ low: null, high: null, reason: 'few cases' })).toBe(' (few cases)');
  expect(aucInterval({ low: null, high: null, reason: null })).toBe('');
});
