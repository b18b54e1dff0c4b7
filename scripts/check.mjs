import { run, script } from './lib/run.mjs';
import { setup } from './lib/setup.mjs';

const CHECKS = [
  ['format and lint', 'biome', ['ci', '--error-on-warnings', '.']],
  ['types', 'tsc', ['-p', 'tsconfig.json']],
  ['types of the dashboard', 'tsc', ['-p', 'apps/dashboard']],
  ["types of the dashboard's browser tests", 'tsc', ['-p', 'apps/dashboard/e2e']],
  ['dead code', 'knip', ['--no-progress']],
  ["the demo's results in the documents", 'tsx', ['experiments/phantoms/results.ts', '--check']],
];

/** Formatter, linter, types and dead code; every check runs, so that one pass names everything. */
export async function check() {
  await setup();
  let failed = 0;
  for (const [name, program, args] of CHECKS) {
    process.stderr.write(`check: ${name} ...\n`);
    if ((await run(program, args)) !== 0) failed += 1;
  }
  process.stderr.write(failed === 0 ? 'check: all clean\n' : `check: ${failed} of ${CHECKS.length} checks failed\n`);
  return failed === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) await script(check);
