import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Writes one workspace's counts and skip reasons where `scripts/test.mjs` adds them up (`CXR_TEST_REPORT`). */
export class SummaryReporter implements Reporter {
  private readonly counts = { passed: 0, failed: 0, skipped: 0 };
  private readonly reasons = new Map<string, number>();

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === 'pending') return;
    this.counts[result.state] += 1;
    if (result.state === 'skipped') this.addReason(result.note ?? test.fullName);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const broken = modules.filter((module) => module.state() === 'failed' && module.errors().length > 0);
    this.counts.failed += broken.length;
    const folder = process.env['CXR_TEST_REPORT'];
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, `${path.relative(import.meta.dirname, process.cwd()).replaceAll(path.sep, '-') || 'root'}.json`);
    writeFileSync(file, JSON.stringify({ ...this.counts, reasons: Object.fromEntries(this.reasons) }));
  }

  private addReason(reason: string): void {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }
}
