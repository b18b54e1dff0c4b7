import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Job, Run } from '@cxr-lens/prisma';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { baseline, createWorld, type World } from './testing.ts';

const MAIN = path.join(import.meta.dirname, 'main.ts');
const LONG = 300_000;

let world: World;
const children: ChildProcess[] = [];

/** A worker in a process of its own, ready for jobs. */
async function start(): Promise<ChildProcess> {
  const env = { ...process.env, DATABASE_URL: world.database.url, CXR_HOME: world.home, LOG_LEVEL: 'error', NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  await once(child, 'message');
  return child;
}

const partsOf = (sweep: Job): Promise<(Job & { run: Run | null })[]> =>
  world.database.prisma.job.findMany({ where: { sweepId: sweep.id }, include: { run: true }, orderBy: { run: { epsilon: 'asc' } } });

beforeAll(async () => {
  world = await createWorld({ images: 80 });
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await world?.end();
});

describe('a sweep', () => {
  it('is trained by two workers at once, goes on after kill -9 of both, and ends with a run for each epsilon', async () => {
    await start();
    const options = { maxEpochs: 4, patience: 4, batchSize: 8, checkpointSeconds: 0 };
    const first = await world.jobs.enqueue('train', baseline(world.dataSet, options));
    await world.until(first.id, 'DONE', LONG);
    await start();
    const request = { id: 'sweep', name: 'Sweep', fromRunId: first.runId!, epsilons: [0, 0.02], options };
    const sweep = await world.jobs.sweep(request);
    const checkpoint = (epsilon: number): boolean => existsSync(path.join(world.home, 'runs', `sweep-${epsilon}`, 'checkpoints'));
    await expect.poll(() => checkpoint(0) && checkpoint(0.02), { timeout: LONG, interval: 20 }).toBe(true);
    expect((await partsOf(sweep)).map(({ state, attempt }) => [state, attempt])).toEqual(Array(2).fill(['RUNNING', 1]));
    for (const child of children.splice(0)) child.kill('SIGKILL');

    await start();
    expect(await world.until(sweep.id, 'DONE', LONG)).toMatchObject({ progressDone: 2, progressTotal: 2 });
    const parts = await partsOf(sweep);
    expect(parts.map(({ attempt, run }) => [attempt, run!.epsilon, run!.state, run!.parentId, run!.active])).toEqual([
      [2, 0, 'FINISHED', first.runId, false],
      [2, 0.02, 'FINISHED', first.runId, false],
    ]);
    expect(new Set(parts.map(({ run }) => run!.weightsSha256)).size).toBe(2);
    expect(readdirSync(path.join(world.home, 'runs')).sort()).toEqual([first.runId, 'sweep-0', 'sweep-0.02']);
  });
});
