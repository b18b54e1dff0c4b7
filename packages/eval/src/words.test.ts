import { expect, it } from 'vitest';
import { fixed, fixedInterval, pText } from './words.ts';

it('writes numbers without a negative zero, and small p as small', () => {
  expect([fixed(-0.001, 2), fixed(-0.006, 2), fixed(1, 3)]).toEqual(['0.00', '-0.01', '1.000']);
  expect(fixedInterval(0.104, [-0.004, 0.2], 2)).toBe('0.10 (0.00 to 0.20)');
  expect([pText(0.0004), pText(0.0321), pText(0.5)]).toEqual(['p < 0.001', 'p = 0.032', 'p = 0.50']);
});
