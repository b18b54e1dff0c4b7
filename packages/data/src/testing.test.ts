import { afterEach, describe, expect, it, vi } from 'vitest';
import { requireOrSkip } from './testing.ts';

const skipped = vi.fn((note?: string): never => {
  throw new Error(`skipped: ${note}`);
});

describe('requireOrSkip', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('returns the path of what is there', () => {
    vi.stubEnv('CXR_SAMPLES', import.meta.dirname);
    expect(requireOrSkip({ skip: skipped }, 'samples', 'testing.ts')).toBe(`${import.meta.dirname}/testing.ts`);
  });

  it('skips with a reason, or fails where it is demanded', () => {
    vi.stubEnv('CXR_SAMPLES', '/nowhere');
    vi.stubEnv('CXR_REQUIRE', 'browser');
    expect(() => requireOrSkip({ skip: skipped }, 'samples', 'nih-sample')).toThrow(
      'skipped: samples: nih-sample is absent; CXR_SAMPLES names',
    );
    vi.stubEnv('CXR_REQUIRE', 'browser, samples');
    expect(() => requireOrSkip({ skip: skipped }, 'samples', 'nih-sample')).toThrow('CXR_REQUIRE demands it');
  });
});
