import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { baseline, createWorld, type World } from './testing.ts';

const MAIN = path.join(import.meta.dirname, 'main.ts');
const OPTIONS = { maxEpochs: 4, patience: 4, checkpointSeconds: 0, seed: 5 };

let world: World;
let undisturbed: string;
const children: ChildProcess[] = [];

/** A worker in a process of its own, ready for jobs. */
async function start(): Promise<ChildProcess> {
  const env = { ...process.env, DATABASE_URL: world.database.url, CXR_HOME: world.home, LOG_LEVEL: 'error', NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  await once(child, 'message');
  return child;
}

const weightsOf = async (runId: string): Promise<string | null> =>
  (await world.database.prisma.run.findUniqueOrThrow({ where: { id: runId } })).weightsSha256;

/** Waits until the first epoch is over and the second goes on. */
async function inSecondEpoch(jobId: string): Promise<void> {
  await expect.poll(() => world.messages(jobId), { timeout: 120_000, interval: 20 }).toContainEqual(expect.stringMatching(/^Epoch 1:/));
}

beforeAll(async () => {
  world = await createWorld();
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(() => world?.end());

describe('a training job', () => {
  it('ends in a worker that then ends itself when it is asked to', async () => {
    const worker = await start();
    const job = await world.jobs.enqueue('train', baseline(world.dataSet, OPTIONS));
    await world.until(job.id, 'DONE', 300_000);
    undisturbed = (await weightsOf(job.runId!))!;
    expect(undisturbed).toMatch(/^[0-9a-f]{64}$/);
    worker.kill('SIGTERM');
    expect(await once(worker, 'exit')).toEqual([0, null]);
  });

  it('whose worker is killed with -9 is taken up by another one and ends with the same weights', async () => {
    const first = await start();
    const job = await world.jobs.enqueue('train', baseline(world.dataSet, OPTIONS));
    await inSecondEpoch(job.id);
    first.kill('SIGKILL');
    await start();
    await world.until(job.id, 'DONE', 300_000);
    expect(await world.job(job.id)).toMatchObject({ attempt: 2 });
    expect(await weightsOf(job.runId!)).toBe(undisturbed);
    const messages = await world.messages(job.id);
    expect(messages).toContain('Taken up again, attempt 2');
    // No epoch is trained twice: the second attempt went on from the checkpoint. Killed between checkpoint and message, one may be untold.
    const told = messages.flatMap((message) => /^Epoch (\d+):/.exec(message)?.[1] ?? []).map(Number);
    expect(told).toEqual([...new Set(told)].sort());
    expect(told.length).toBeGreaterThanOrEqual(3);
    const rows = await world.database.prisma.epoch.findMany({ where: { runId: job.runId! }, orderBy: { epoch: 'asc' } });
    expect(rows.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  });

  it('whose worker is asked to stop leaves a checkpoint, and ends in another one with the same weights', async () => {
    const first = await start();
    const job = await world.jobs.enqueue('train', baseline(world.dataSet, OPTIONS));
    await inSecondEpoch(job.id);
    first.kill('SIGTERM');
    expect(await once(first, 'exit')).toEqual([0, null]);
    expect(await world.job(job.id)).toMatchObject({ state: 'QUEUED' });
    await start();
    await world.until(job.id, 'DONE', 300_000);
    expect(await weightsOf(job.runId!)).toBe(undisturbed);
  });

  it('fails with a word when its worker dies in every attempt', async () => {
    const job = await world.jobs.enqueue('train', baseline(world.dataSet, { ...OPTIONS, maxEpochs: 100, patience: 100 }));
    await world.database.prisma.$executeRaw`UPDATE pgboss.job SET retry_limit = 0 WHERE id = ${job.id}::uuid`;
    const first = await start();
    await expect.poll(async () => (await world.job(job.id)).state, { timeout: 60_000 }).toBe('RUNNING');
    first.kill('SIGKILL');
    await start();
    await world.until(job.id, 'FAILED', 120_000);
    expect(await world.job(job.id)).toMatchObject({ errorCode: 'INTERNAL', errorMessage: expect.stringMatching(/ended without a word/) });
  });
});

describe("the worker's process", () => {
  it('ends when the one that started it is killed with -9', async () => {
    const script = `
      import { spawn } from 'node:child_process';
      const child = spawn(process.execPath, [${JSON.stringify(MAIN)}], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true });
      child.once('message', () => console.log(child.pid));`;
    const env = { ...process.env, DATABASE_URL: world.database.url, CXR_HOME: world.home, NODE_OPTIONS: '' };
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    for (let waited = 0; isAlive(pid) && waited < 15_000; waited += 100) await sleep(100);
    expect(isAlive(pid)).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
