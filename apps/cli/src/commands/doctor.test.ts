import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { main } from '../main.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'cxr-lens-doctor-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

it('says what is there, and what is wrong with a database that does not answer', async () => {
  vi.stubEnv('CXR_HOME', path.join(home, 'not/there/yet'));
  vi.stubEnv('DATABASE_URL', 'postgresql://nobody:secret@127.0.0.1:9/none');
  let stdout = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  const code = await main(['doctor', '--json']);
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: { part: string; ok: boolean; says: string }[] };
  expect([code, ok]).toEqual([3, false]);
  const says = Object.fromEntries(findings.map((finding) => [finding.part, [finding.ok, finding.says]]));
  expect(says).toEqual({
    machine: [true, expect.stringMatching(/^linux x64, glibc 2\.\d+, Node \d+/)],
    engine: [true, expect.stringMatching(/^TensorFlow 2\.\d+\.\d+ on the [CG]PU, the CPU has (no )?bfloat16; /)],
    database: [false, expect.stringMatching(/^UNAVAILABLE: /)],
    storage: [true, expect.stringMatching(/not\/there\/yet \(CXR_HOME\), \d+ GiB free$/)],
  });
  expect(stdout).not.toContain('secret');
});
