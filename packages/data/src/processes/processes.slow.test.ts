import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const source = (name: string): string => pathToFileURL(path.resolve(import.meta.dirname, name)).href;

it('a task that never ends is UNAVAILABLE after 30 s, and its process is gone; so is every process when the one that started it is killed', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cxr-processes-'));
  const script = path.join(folder, 'script.ts');
  writeFileSync(
    script,
    `import { answerTasks } from '${source('answer.ts')}';
    answerTasks(async ({ hang }) => { if (hang) for (;;); return process.pid; });`,
  );
  const parent = path.join(folder, 'parent.ts');
  writeFileSync(
    parent,
    `import { startProcesses } from '${source('processes.ts')}';
    const processes = startProcesses({ script: new URL('${pathToFileURL(script).href}') });
    const idle = await processes.run({}, { where: 'x' });
    const begun = Date.now();
    const code = await processes.run({ hang: true }, { where: 'x' }).catch((error) => error.code);
    process.send({ code, ms: Date.now() - begun, hung: idle, alive: await processes.run({}, { where: 'x' }) });
    setInterval(() => undefined, 1000);`,
  );
  const child = fork(parent, { execArgv: [] });
  const [told] = (await once(child, 'message')) as [{ code: string; ms: number; hung: number; alive: number }];
  expect(told).toMatchObject({ code: 'UNAVAILABLE' });
  expect(told.ms).toBeGreaterThanOrEqual(30_000);
  expect(told.ms).toBeLessThan(40_000);
  expect(() => process.kill(told.hung, 0)).toThrow('ESRCH');
  child.kill('SIGKILL');
  await expect.poll(() => isThere(told.alive), { timeout: 5000 }).toBe(false);
  rmSync(folder, { recursive: true });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
