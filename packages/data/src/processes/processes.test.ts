import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Processes, startProcesses } from './processes.ts';

let folder: string;
let script: URL;
let processes: Processes;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cxr-processes-'));
  const file = path.join(folder, 'script.ts');
  const answer = pathToFileURL(path.resolve(import.meta.dirname, 'answer.ts')).href;
  writeFileSync(
    file,
    `import { answerTasks } from '${answer}';
    const held = [];
    answerTasks(async ({ kind, value }) => {
      if (kind === 'pid') return process.pid;
      if (kind === 'die') process.kill(process.pid, 'SIGKILL');
      if (kind === 'exit') process.exit(0);
      if (kind === 'throw') throw 'a string';
      if (kind === 'wait') await new Promise((resolve) => setTimeout(resolve, value));
      if (kind === 'hang') for (;;);
      if (kind === 'eat') for (;;) held.push(Buffer.alloc(64 * 1024 ** 2, 1));
      if (kind === 'die later') setTimeout(() => process.exit(1), 50);
      return value;
    });`,
  );
  script = pathToFileURL(file);
  processes = startProcesses({ script, eager: true });
});
afterAll(async () => {
  await processes.stop();
  rmSync(folder, { recursive: true });
});

const run = (kind: string, value?: unknown, last = false): Promise<unknown> => processes.run({ kind, value }, { where: kind, last });
const codeOf = (work: Promise<unknown>): Promise<unknown> => work.then(String, (error: { code: string }) => error.code);

describe('processes', () => {
  it('answer in the order of their tasks, with typed arrays', async () => {
    expect(await Promise.all([1, 2, 3, 4, 5].map((value) => run('value', value)))).toEqual([1, 2, 3, 4, 5]);
    expect(await run('value', Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2));
  });

  it.each(['die', 'exit'])('that %s inside a task fail that one alone, and are replaced', async (kind) => {
    const [before, failed, after] = await Promise.all([run('value', 1), codeOf(run(kind)), run('value', 2)]);
    expect([before, failed, after]).toEqual([1, 'UNAVAILABLE', 2]);
  });

  it('that end while they are idle are replaced at once', async () => {
    await Promise.all([run('die later', 1), run('die later', 1)]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const begun = performance.now();
    expect(await run('value', 3)).toBe(3);
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it('tell what is thrown, whatever it is', async () => {
    await expect(run('throw')).rejects.toMatchObject({ code: 'INTERNAL', message: 'a string' });
  });

  it('are ended when a task takes too much memory', async () => {
    await expect(run('eat')).rejects.toMatchObject({ code: 'TOO_LARGE', message: expect.stringContaining('more than 1 GiB of memory') });
    expect(await run('value', 4)).toBe(4);
  });

  it('do last what is to wait for the others', async () => {
    const done: string[] = [];
    const noting = (name: string, work: Promise<unknown>): Promise<unknown> => work.then(() => done.push(name));
    const busy = [run('wait', 300), run('wait', 300)];
    await Promise.all([...busy, noting('last', run('value', 1, true)), noting('first', run('value', 1)), noting('first', run('value', 1))]);
    expect(done).toEqual(['first', 'first', 'last']);
  });

  it('are gone after stop, with what waited refused', async () => {
    const own = startProcesses({ script });
    const pid = (await own.run({ kind: 'pid' }, { where: 'x' })) as number;
    const waiting = Array.from({ length: 4 }, () => codeOf(own.run({ kind: 'hang' }, { where: 'x' })));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await own.stop();
    expect(await Promise.all(waiting)).toEqual(Array(4).fill('UNAVAILABLE'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(own.run({ kind: 'pid' }, { where: 'x' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
