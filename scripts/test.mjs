import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { check } from './check.mjs';
import { run, script } from './lib/run.mjs';
import { setup } from './lib/setup.mjs';

/** Adds up what every workspace reported; prints skips with their reasons and the closing counts. */
function summary(report) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const reasons = new Map();
  for (const file of readdirSync(report)) {
    const counts = JSON.parse(readFileSync(path.join(report, file), 'utf8'));
    for (const key of Object.keys(total)) total[key] += counts[key];
    for (const [reason, times] of Object.entries(counts.reasons)) reasons.set(reason, (reasons.get(reason) ?? 0) + times);
  }
  if (total.skipped > 0) process.stdout.write(`\n${total.skipped} skipped:\n`);
  for (const [reason, times] of reasons) process.stdout.write(`  ${times} x ${reason}\n`);
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return total;
}

await script(async () => {
  const slow = process.argv.includes('--slow');
  await setup();
  const checked = slow ? 0 : await check();
  const report = mkdtempSync(path.join(tmpdir(), 'cxr-lens-test-'));
  const env = { CXR_TEST_REPORT: report, ...(slow ? { CXR_SLOW: '1' } : {}) };
  // One workspace after the other: TensorFlow uses every core.
  const task = ['run', slow ? 'test:slow' : 'test', '--concurrency=1', '--continue', '--ui=stream', '--output-logs=full'];
  const house = await run('vitest', ['run'], { env });
  const workspaces = await run('turbo', task, { env });
  const { passed, failed } = summary(report);
  rmSync(report, { recursive: true });
  return checked === 0 && house === 0 && workspaces === 0 && failed === 0 && passed > 0 ? 0 : 1;
});
