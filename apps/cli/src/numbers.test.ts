import { describe, expect, it } from 'vitest';
import { wholeNumber } from './numbers.ts';

describe('wholeNumber', () => {
  it('reads digits', () =>
    expect(['0', '7', '007', '999999999'].map((text) => wholeNumber('--seed', text))).toEqual([0, 7, 7, 999_999_999]));

  it.each(['', ' ', '1e3', '0x10', '-1', '+1', '1.0', '1 2', '1234567890', 'NaN'])('refuses "%s"', (text) => {
    expect(() => wholeNumber('--seed', text)).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringMatching(/^--seed is ".*"; expected a whole number/) }),
    );
  });
});
