import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startModule } from './child.ts';

const home = mkdtempSync(path.join(tmpdir(), 'cxr-lens-child-'));
beforeAll(() => void vi.stubEnv('CXR_HOME', home));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

it("a child's log is begun anew when it has grown large, and the child writes on", async () => {
  const log = path.join(home, 'logs/a-child.log');
  const source = path.join(home, 'child.mjs');
  mkdirSync(path.dirname(log));
  writeFileSync(log, 'x'.repeat(12 * 1024 ** 2));
  writeFileSync(source, `console.log('begun'); setTimeout(() => { console.log('ended'); process.disconnect(); }, 500);`);
  const child = startModule('a child', [source], process.env);
  expect(statSync(log).size).toBeLessThan(100);
  expect(await child.exited).toBe(0);
  expect(readFileSync(`${log}.1`, 'utf8') + readFileSync(log, 'utf8')).toMatch(/^x+(begun\n)ended\n$/);
});
