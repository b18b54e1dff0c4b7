import { randomUUID } from 'node:crypto';
import { CxrError } from '@cxr-lens/data';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DataSet, Job } from '../../generated/client/client.ts';
import { type CxrEvent, subscribeEvents } from '../events.ts';
import { type TestDatabase, testDatabase } from '../testing.ts';
import { AttemptWriter, claimJob } from './attempt.ts';
import type { JobRequest } from './inputs.ts';
import { createJobs, type JobAttempt, type JobHandlers, type Jobs } from './jobs.ts';

let database: TestDatabase;
let dataSet: DataSet;
let jobs: Jobs;
const others: Jobs[] = [];

beforeAll(async () => {
  database = await testDatabase();
  dataSet = await database.prisma.dataSet.create({
    data: {
      name: 'phantom',
      path: '/nowhere',
      size: 96,
      synthetic: true,
      datasetHash: 'a'.repeat(64),
      splitHash: 'b'.repeat(64),
      preprocessingVersion: 'v1',
      trainImages: 3,
      validationImages: 2,
      testImages: 1,
      boxedPairs: 1,
    },
  });
});

afterAll(() => database?.drop());

beforeEach(async () => {
  jobs = await open();
});

afterEach(async () => {
  for (const each of others.splice(0)) await each.stop();
});

async function open(): Promise<Jobs> {
  const opened = await createJobs({ prisma: database.prisma, url: database.url });
  others.push(opened);
  return opened;
}

const unexpected = (): Promise<void> => Promise.reject(new CxrError('BAD_INPUT', 'no such job was expected here'));
const trainOnly = (train: JobHandlers['train']): JobHandlers => ({ phantom: unexpected, train, evaluate: unexpected, explain: unexpected });

function training(overrides: Partial<JobRequest<'train'>> = {}): JobRequest<'train'> {
  return {
    runId: `baseline-${randomUUID()}`,
    name: 'test',
    method: 'baseline',
    preset: 'small',
    dataSetId: dataSet.id,
    options: {},
    ...overrides,
  };
}

const reload = (job: Job): Promise<Job> => database.prisma.job.findUniqueOrThrow({ where: { id: job.id } });
const messages = async (job: Job): Promise<string[]> =>
  (await database.prisma.jobEvent.findMany({ where: { jobId: job.id }, orderBy: { id: 'asc' } })).map(({ message }) => message);
const until = (job: Job, state: Job['state'], attempt?: number): Promise<void> =>
  expect.poll(() => reload(job), { timeout: 15_000, interval: 30 }).toMatchObject(attempt === undefined ? { state } : { state, attempt });

/** Resolves when the job is aborted. */
const aborted = (job: JobAttempt<'train'>): Promise<void> =>
  new Promise((resolve) => (job.signal.aborted ? resolve() : job.signal.addEventListener('abort', () => resolve())));

describe('a job', () => {
  it('is queued with its run, done with progress, and announced all along', async () => {
    const stop = new AbortController();
    const events: CxrEvent[] = [];
    const listening = (async () => {
      for await (const event of subscribeEvents(database.url, { signal: stop.signal })) events.push(event);
    })();
    await expect.poll(() => events, { timeout: 30_000 }).toEqual([{ type: 'resync' }]);

    const job = await jobs.enqueue('train', training({ options: { seed: 7 } }));
    expect(job).toMatchObject({ kind: 'TRAIN', state: 'QUEUED', attempt: 0, dataSetId: dataSet.id });
    const run = await database.prisma.run.findUniqueOrThrow({ where: { id: job.runId! } });
    expect(run).toMatchObject({ state: 'TRAINING', method: 'baseline', preset: 'small', seed: 7, epsilon: null, active: false });

    await jobs.work(
      trainOnly(async ({ input, progress, addEvent, fence, attempt }) => {
        expect(input.options).toMatchObject({ seed: 7, learningRate: 0.01 });
        expect(attempt).toBe(1);
        progress({ what: 'Epoch 1', done: 3, total: 10 });
        await addEvent('halfway');
        await fence();
      }),
    );
    await until(job, 'DONE');
    expect(await reload(job)).toMatchObject({ attempt: 1, progressWhat: 'Epoch 1', progressDone: 3, progressTotal: 10, errorCode: null });
    expect(await messages(job)).toEqual(['Queued', 'Started', 'halfway', 'Done']);
    expect(events).toContainEqual({ type: 'job', id: job.id });
    expect(events).toContainEqual({ type: 'run', id: job.runId });
    stop.abort();
    await listening;
  });

  it('does not exist when the transaction around it is rolled back', async () => {
    const request = training();
    const failed = database.prisma.$transaction(async (tx) => {
      await jobs.enqueue('train', request, { tx });
      throw new Error('rolled back');
    });
    await expect(failed).rejects.toThrow('rolled back');
    expect(await database.prisma.job.count({ where: { runId: request.runId } })).toBe(0);
    const [{ count }] = (await database.prisma.$queryRaw`SELECT count(*)::int AS count FROM pgboss.job WHERE state < 'active'`) as [
      { count: number },
    ];
    expect(count).toBe(0);
  });

  it.each([
    [{ dataSetId: 'none' }, 'NOT_FOUND', /no data set none/],
    [{ preset: 'paper' }, 'BAD_INPUT', /images of 96 pixels, preset paper takes 224: prepare it with --size 224/],
    [{ method: 'robust' }, 'BAD_INPUT', /Robust starts from a finished Baseline run: name one/],
    [{ method: 'robust', fromRunId: 'none' }, 'NOT_FOUND', /no run none/],
    [{ options: { patience: 0 } }, 'BAD_INPUT', /patience/],
    [{ options: { epsilon: 0.01 } }, 'BAD_INPUT', /Option epsilon: baseline does not perturb/],
    [{ runId: '../up' }, 'BAD_INPUT', /expected a folder name/],
  ] as const)('is refused with %j', async (wrong, code, message) => {
    const refused = jobs.enqueue('train', training(wrong));
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('is refused for a run that is not finished or an image that is not there', async () => {
    const { runId } = await jobs.enqueue('train', training());
    await expect(jobs.enqueue('train', training({ runId: runId! }))).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(jobs.enqueue('evaluate', { runIds: [runId!], dataSetId: dataSet.id })).rejects.toThrow(/is training: only a finished run/);
    await expect(jobs.enqueue('explain', { imageId: 'none', runIds: [runId!] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await jobs.cancel((await database.prisma.job.findFirstOrThrow({ where: { runId } })).id);
  });

  it('that is cancelled in the queue never starts', async () => {
    const job = await jobs.enqueue('train', training());
    expect(await jobs.cancel(job.id)).toMatchObject({ state: 'CANCELLED' });
    expect(await jobs.cancel(job.id)).toMatchObject({ state: 'CANCELLED' });
    let started = 0;
    await jobs.work(trainOnly(async () => void started++));
    const next = await jobs.enqueue('train', training());
    await until(next, 'DONE');
    expect(started).toBe(1);
    expect(await database.prisma.run.findUniqueOrThrow({ where: { id: job.runId! } })).toMatchObject({ state: 'CANCELLED' });
    await expect(jobs.cancel('none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('that is cancelled while it runs is told before the next heartbeat', async () => {
    const job = await jobs.enqueue('train', training());
    let told = 0;
    await jobs.work(
      trainOnly(async (attempt) => {
        await aborted(attempt);
        told = Date.now();
        throw new CxrError('CANCELLED', 'stopped on request');
      }),
    );
    await until(job, 'RUNNING');
    const other = await open();
    const asked = Date.now();
    await other.cancel(job.id);
    await expect.poll(() => told, { timeout: 15_000 }).toBeGreaterThan(0);
    expect(told - asked).toBeLessThan(2900);
    expect(await reload(job)).toMatchObject({ state: 'CANCELLED', errorCode: null });
  });

  it('that is cancelled while it runs writes nothing more', async () => {
    const job = await jobs.enqueue('train', training());
    const codes: unknown[] = [];
    await jobs.work(
      trainOnly(async (attempt) => {
        await jobs.cancel(job.id);
        const goOn = attempt.write((tx) => tx.run.update({ where: { id: job.runId! }, data: { state: 'TRAINING' } }));
        codes.push(...(await Promise.all([goOn, attempt.addEvent('late')].map((write) => write.catch((error: CxrError) => error.code)))));
      }),
    );
    await expect.poll(() => codes, { timeout: 15_000 }).toEqual(['CANCELLED', 'CANCELLED']);
    expect(await database.prisma.run.findUniqueOrThrow({ where: { id: job.runId! } })).toMatchObject({ state: 'CANCELLED' });
    expect(await messages(job)).toEqual(['Queued', 'Started', 'Cancelled']);
  });

  it('runs beside as many of its kind as are asked for, and is cancelled alone', async () => {
    const queued: Job[] = [];
    for (let index = 0; index < 3; index++) queued.push(await jobs.enqueue('train', training()));
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const running = new Set<string>();
    const together: number[] = [];
    const handler = trainOnly(async (attempt) => {
      together.push(running.add(attempt.jobId).size);
      await Promise.race([released, aborted(attempt)]);
      running.delete(attempt.jobId);
      if (attempt.signal.aborted) throw new CxrError('CANCELLED', 'stopped on request');
    });
    await jobs.work(handler, { train: 2 });
    await expect.poll(() => running.size, { timeout: 15_000 }).toBe(2);
    const [cancelled, kept] = queued.filter(({ id }) => running.has(id));
    const third = queued.find(({ id }) => !running.has(id))!;
    expect(await reload(third)).toMatchObject({ state: 'QUEUED' });
    await jobs.cancel(cancelled!.id);
    await until(third, 'RUNNING');
    expect([...running].sort()).toEqual([kept!.id, third.id].sort());
    release();
    await until(kept!, 'DONE', 1);
    await until(third, 'DONE', 1);
    expect(await reload(cancelled!)).toMatchObject({ state: 'CANCELLED', attempt: 1 });
    expect(together).toEqual([1, 2, 2]);
  });

  it('fails at once when its input is wrong, and takes its run with it', async () => {
    const job = await jobs.enqueue('train', training());
    await jobs.work(trainOnly(() => Promise.reject(new CxrError('CORRUPT', 'image 7 has a flipped byte'))));
    await until(job, 'FAILED');
    expect(await reload(job)).toMatchObject({ attempt: 1, errorCode: 'CORRUPT', errorMessage: 'image 7 has a flipped byte' });
    const run = await database.prisma.run.findUniqueOrThrow({ where: { id: job.runId! } });
    expect(run).toMatchObject({ state: 'FAILED', error: 'image 7 has a flipped byte' });
  });

  it('is tried again after an error that may pass', async () => {
    const job = await jobs.enqueue('train', training());
    await jobs.work(trainOnly(({ attempt }) => (attempt === 1 ? Promise.reject(new Error('the disk was away')) : Promise.resolve())));
    await until(job, 'DONE');
    expect(await messages(job)).toEqual([
      'Queued',
      'Started',
      'Attempt 1 failed and is made again: the disk was away',
      'Taken up again, attempt 2',
      'Done',
    ]);
  });

  it('goes on in another worker when the first is asked to stop, as often as that happens', async () => {
    const job = await jobs.enqueue('train', training());
    await database.prisma.$executeRaw`UPDATE pgboss.job SET retry_limit = 0 WHERE id = ${job.id}::uuid`;
    for (let worker = 1; worker <= 5; worker++) {
      const stopping = await open();
      await stopping.work(
        trainOnly(async (attempt) => {
          await aborted(attempt);
          throw new CxrError('CANCELLED', 'stopped');
        }),
      );
      await until(job, 'RUNNING');
      await stopping.stop();
      expect((await reload(job)).state).toBe('QUEUED');
    }
    await (await open()).work(trainOnly(() => Promise.resolve()));
    await until(job, 'DONE');
    expect((await reload(job)).attempt).toBe(6);
  });
});

describe('an attempt', () => {
  it('that dies, and whose worker stops because of it, counts as failed', async () => {
    const job = await jobs.enqueue('train', training());
    for (let attempt = 1; attempt <= 4; attempt++) {
      const dying = await open();
      let stopped: Promise<void> | undefined;
      await dying.work(
        trainOnly(async () => {
          stopped = dying.stop();
          throw new CxrError('INTERNAL', "The engine's thread died: boom");
        }),
      );
      await until(job, attempt < 4 ? 'QUEUED' : 'FAILED', attempt);
      await stopped;
    }
    expect(await reload(job)).toMatchObject({ attempt: 4, errorMessage: "The engine's thread died: boom" });
  });

  it('that got further than any before is given back when it is lost, and one that did not is not', async () => {
    const job = await jobs.enqueue('train', training());
    await database.prisma.$executeRaw`UPDATE pgboss.job SET retry_limit = 1 WHERE id = ${job.id}::uuid`;
    const done = [5, 5, 10, 15, 15, 15];
    await jobs.work(
      trainOnly(async ({ attempt, advance }) => {
        await advance(done[attempt - 1]!);
        await advance(done[attempt - 1]!);
        throw new CxrError('UNAVAILABLE', 'lost');
      }),
    );
    await until(job, 'FAILED');
    // One attempt more for each of 5, 10 and 15, beside the first one and its one retry.
    expect(await reload(job)).toMatchObject({ attempt: 5, furthest: 15 });
  });

  it('that the queue has given up says so, and not that somebody asked for it', async () => {
    const job = await jobs.enqueue('train', training());
    await jobs.work(
      trainOnly(async (attempt) => {
        if (attempt.attempt > 1) return;
        await database.prisma
          .$executeRaw`UPDATE pgboss.job SET state = 'retry', start_after = now() + interval '1 minute' WHERE id = ${job.id}::uuid`;
        await aborted(attempt);
        throw new CxrError('CANCELLED', 'Training was stopped on request.');
      }),
    );
    await expect
      .poll(() => messages(job), { timeout: 20_000 })
      .toContainEqual(expect.stringContaining('The queue heard nothing of the worker'));
    expect((await messages(job)).join()).not.toContain('on request');
    await jobs.cancel(job.id);
  });

  it('of a training whose time is up goes on in the next one, as often as that happens', async () => {
    const job = await jobs.enqueue('train', training());
    await database.prisma.$executeRaw`UPDATE pgboss.job SET expire_seconds = 3, retry_limit = 0 WHERE id = ${job.id}::uuid`;
    await jobs.work(
      trainOnly(async (attempt) => {
        if (attempt.attempt === 2) return;
        await aborted(attempt);
        throw new CxrError('CANCELLED', 'stopped');
      }),
    );
    await until(job, 'DONE');
    expect(await messages(job)).toEqual([
      'Queued',
      'Started',
      'Its time is up; it goes on from its checkpoint',
      'Taken up again, attempt 2',
      'Done',
    ]);
  });
});

describe('the fencing number', () => {
  it('lets only the newest attempt write', async () => {
    const job = await jobs.enqueue('train', training());
    const [first, second] = [1, 2].map((attempt) => new AttemptWriter(database.prisma, job.id, attempt));
    expect(await claimJob(database.prisma, job.id, 1)).toMatchObject({ attempt: 1 });
    await first!.fence();
    expect(await claimJob(database.prisma, job.id, 2)).toMatchObject({ attempt: 2 });
    expect(await claimJob(database.prisma, job.id, 1)).toBeNull();
    await expect(first!.fence()).rejects.toThrow(/has been replaced by a later one/);
    await expect(first!.addEvent('late')).rejects.toThrow(/has been replaced by a later one/);
    await second!.addEvent('in time');
    expect(await messages(job)).toEqual(['Queued', 'Started', 'Taken up again, attempt 2', 'in time']);
    await jobs.cancel(job.id);
  });
});
