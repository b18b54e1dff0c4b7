import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHILD_ENV } from '@cxr-lens/data';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { supervise } from './supervise.ts';

const script = (source: string): ChildProcess => spawn(process.execPath, ['-e', source], { stdio: 'ignore' });

describe('a supervised process', () => {
  it('is started again after kill -9, an exit and a failed start, with growing pauses, and ended with the signal', async () => {
    const controller = new AbortController();
    const said: string[] = [];
    const children: ChildProcess[] = [];
    const starts = [() => script('setInterval(() => {}, 1000)'), () => script('process.exit(7)'), () => spawn('/no/such/program')];
    const ended = supervise({
      name: 'thing',
      start: () => {
        const child = (starts[children.length] ?? starts[0]!)();
        children.push(child);
        return child;
      },
      signal: controller.signal,
      say: (line) => said.push(line),
    });
    await expect.poll(() => children[0]?.pid).toBeDefined();
    children[0]!.kill('SIGKILL');
    await expect.poll(() => children.length, { timeout: 10_000 }).toBe(4);
    expect(said).toEqual([
      'The thing ended (SIGKILL) and is started again in 0.25 s.',
      'The thing ended (exit code 7) and is started again in 0.5 s.',
      'The thing ended (spawn /no/such/program ENOENT) and is started again in 1 s.',
    ]);
    controller.abort();
    expect(await ended).toBe(0);
    expect(children[3]!.signalCode).toBe('SIGTERM');
  });

  it('is started again where it cannot even be started', async () => {
    const controller = new AbortController();
    const said: string[] = [];
    const children: ChildProcess[] = [];
    const ended = supervise({
      name: 'thing',
      start: () => {
        if (said.length === 0) throw new Error('ENOSPC: no space left on device');
        children.push(script('setInterval(() => {}, 1000)'));
        return children[0]!;
      },
      signal: controller.signal,
      say: (line) => said.push(line),
    });
    await expect.poll(() => children[0]?.pid).toBeDefined();
    expect(said).toEqual(['The thing ended (ENOSPC: no space left on device) and is started again in 0.25 s.']);
    controller.abort();
    expect(await ended).toBe(0);
  });

  it('that was well before is started again although it refuses the same settings for a moment', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const controller = new AbortController();
    const children: ChildProcess[] = [];
    const ended = supervise({
      name: 'thing',
      start: () => {
        children.push(script(children.length === 1 ? 'process.exit(2)' : 'setInterval(() => {}, 1000)'));
        return children.at(-1)!;
      },
      signal: controller.signal,
      say: () => undefined,
    });
    await expect.poll(() => children[0]?.pid).toBeDefined();
    vi.setSystemTime(Date.now() + 60_000);
    children[0]!.kill('SIGKILL');
    await expect.poll(() => children.length, { timeout: 10_000 }).toBe(3);
    controller.abort();
    expect(await ended).toBe(0);
  });

  it('that refuses its settings is not started again', async () => {
    const said: string[] = [];
    const end = supervise({
      name: 'thing',
      start: () => script('process.exit(2)'),
      signal: new AbortController().signal,
      say: (line) => said.push(line),
    });
    expect(await end).toBe(2);
    expect(said).toEqual([]);
  });
});

describe('a child whose parent is gone', () => {
  /** A parent that is killed with -9 `after` ms behind the start of its child, which takes `slow` ms before it listens. */
  async function orphan(after: number, slow: number): Promise<number> {
    const data = new URL('../../../packages/data/src/parent.ts', import.meta.url).href;
    const child = `await new Promise((resolve) => setTimeout(resolve, ${slow})); const { onParentEnd } = await import('${data}'); onParentEnd(() => process.exit(0)); setInterval(() => {}, 1000);`;
    const parent = `const child = require('node:child_process').spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(child)}], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true, env: { ...process.env, ...${JSON.stringify(CHILD_ENV)} } }); console.log(child.pid); setInterval(() => {}, 1000);`;
    const process_ = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = Number(await new Promise<Buffer>((resolve) => process_.stdout.once('data', resolve)));
    await sleep(after);
    process_.kill('SIGKILL');
    return pid;
  }

  const lives = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it.each([
    ['while it runs', 1500, 0],
    ['before it listens', 100, 1500],
  ])('ends, %s', async (_, after, slow) => {
    const pid = await orphan(after, slow);
    await expect.poll(() => lives(pid), { timeout: 10_000 }).toBe(false);
  });
});
