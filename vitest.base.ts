import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { SummaryReporter } from './vitest.reporter.ts';

/** What every workspace's tests share: `*.test.ts` in `npm test`, `*.slow.test.ts` in `npm run test:slow`, one process a file. */
export function testConfig(overrides: NonNullable<ViteUserConfig['test']> = {}): ViteUserConfig {
  const slow = process.env['CXR_SLOW'] === '1';
  return defineConfig({
    test: {
      include: [slow ? '**/*.slow.test.{ts,tsx}' : '**/*.test.{ts,tsx}'],
      exclude: ['**/node_modules/**', '**/.next/**', ...(slow ? [] : ['**/*.slow.test.*'])],
      passWithNoTests: true,
      pool: 'forks',
      // Slow tests measure memory and kill processes: one at a time.
      maxWorkers: slow ? 1 : 2,
      testTimeout: slow ? 1_800_000 : 120_000,
      hookTimeout: 120_000,
      reporters: ['default', new SummaryReporter()],
      ...overrides,
    },
  });
}
