import { randomUUID } from 'node:crypto';
import { CxrError } from '@cxr-lens/data';
import { PgBoss } from 'pg-boss';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { DataSet, Job, Prisma } from '../../generated/client/client.ts';
import { type TestDatabase, testDatabase } from '../testing.ts';
import { AttemptWriter, claimJob, endJob } from './attempt.ts';
import { createJobs, type JobAttempt, type JobHandlers, type Jobs } from './jobs.ts';
import type { SweepRequest } from './sweep.ts';

let database: TestDatabase;
let dataSet: DataSet;
let jobs: Jobs;
const others: Jobs[] = [];

beforeAll(async () => {
  database = await testDatabase();
  const hash = 'a'.repeat(64);
  const hashes = { datasetHash: hash, splitHash: hash, preprocessingVersion: 'v1' };
  const images = { trainImages: 3, validationImages: 2, testImages: 1, boxedPairs: 1 };
  dataSet = await database.prisma.dataSet.create({
    data: { name: 'phantom', path: '/nowhere', size: 96, synthetic: true, ...hashes, ...images },
  });
  await addRun('baseline', { dataSetId: dataSet.id });
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

async function addRun(id: string, data: object): Promise<void> {
  const run = { name: id, method: 'baseline', preset: 'small', state: 'FINISHED' as const, seed: 0, options: {}, path: '/nowhere' };
  await database.prisma.run.create({ data: { id, ...run, ...data } });
}

const unexpected = (): Promise<void> => Promise.reject(new CxrError('BAD_INPUT', 'no such job was expected here'));
const trainOnly = (train: JobHandlers['train']): JobHandlers => ({ phantom: unexpected, train, evaluate: unexpected, explain: unexpected });
const request = (overrides: Partial<SweepRequest> = {}): SweepRequest => ({
  id: `sweep-${randomUUID()}`,
  name: 'Figure 4',
  fromRunId: 'baseline',
  epsilons: [0, 0.005, 0.02],
  options: { maxEpochs: 2 },
  ...overrides,
});

const reload = (job: Job): Promise<Job> => database.prisma.job.findUniqueOrThrow({ where: { id: job.id } });
const partsOf = (job: Job) =>
  database.prisma.job.findMany({ where: { sweepId: job.id }, orderBy: { run: { epsilon: 'asc' } }, include: { run: true } });
const messages = async (job: Job): Promise<string[]> =>
  (await database.prisma.jobEvent.findMany({ where: { jobId: job.id }, orderBy: { id: 'asc' } })).map(({ message }) => message);
const until = (job: Job, expected: Partial<Job>): Promise<void> =>
  expect.poll(() => reload(job), { timeout: 20_000, interval: 30 }).toMatchObject(expected);

/** Rejects, as a training does, when the job is aborted. */
const untilAborted = ({ signal }: JobAttempt<'train'>): Promise<never> =>
  new Promise((_, reject) => {
    const stop = (): void => reject(new CxrError('CANCELLED', 'stopped'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });

describe('a sweep', () => {
  it('is one job that any worker trains a part of, two at a time where there are two', async () => {
    const sweep = await jobs.sweep(request());
    expect(sweep).toMatchObject({ kind: 'SWEEP', state: 'QUEUED', runId: 'baseline', dataSetId: dataSet.id });
    expect(sweep).toMatchObject({ progressWhat: 'Runs trained', progressDone: 0, progressTotal: 3 });
    const parts = await partsOf(sweep);
    expect(parts.map(({ kind, run }) => [kind, run!.epsilon, run!.name, run!.method, run!.preset, run!.parentId, run!.state])).toEqual(
      [0, 0.005, 0.02].map((epsilon) => ['TRAIN', epsilon, `Figure 4 ${epsilon}`, 'robust', 'small', 'baseline', 'TRAINING']),
    );

    let release = (): void => undefined;
    const bothAreThere = new Promise<void>((resolve) => (release = resolve));
    const trained: [worker: number, epsilon: number][] = [];
    const trainOn = (worker: number): JobHandlers =>
      trainOnly(async ({ input }) => {
        expect(input.options).toMatchObject({ maxEpochs: 2, perturbation: 'linf' });
        trained.push([worker, input.options.epsilon]);
        if (trained.length === 2) release();
        await bothAreThere;
      });
    await jobs.work(trainOn(1));
    await (await open()).work(trainOn(2));
    await until(sweep, { state: 'DONE', progressDone: 3, errorCode: null });
    expect(new Set(trained.slice(0, 2).map(([worker]) => worker))).toEqual(new Set([1, 2]));
    expect(trained.map(([, epsilon]) => epsilon).sort()).toEqual([0, 0.005, 0.02]);
    expect((await reload(sweep)).finishedAt).not.toBeNull();
    const said = await messages(sweep);
    expect([said[0], said.at(-1)]).toEqual(['Queued', 'Done']);
    const parted = [0, 0.005, 0.02].flatMap((epsilon) => [`Epsilon ${epsilon}: Started`, `Epsilon ${epsilon}: Done`]);
    expect(said.slice(1, -1).sort()).toEqual(parted.sort());
  });

  it('counts right when its last two parts end at the same moment', async () => {
    for (let round = 0; round < 5; round++) {
      const sweep = await jobs.sweep(request({ epsilons: [0, 0.01] }));
      const parts = await partsOf(sweep);
      await Promise.all(parts.map(({ id }) => jobs.cancel(id)));
      expect(await reload(sweep)).toMatchObject({ state: 'CANCELLED', progressDone: 0 });
    }
  });

  it('is cancelled with all its parts, and resumed with those that are not done', async () => {
    const sweep = await jobs.sweep(request());
    const done: number[] = [];
    const first = trainOnly(async (attempt) => {
      if (done.length > 0) return untilAborted(attempt);
      done.push(attempt.input.options.epsilon);
    });
    await jobs.work(first);
    await until(sweep, { state: 'RUNNING', progressDone: 1 });
    await expect.poll(async () => (await partsOf(sweep)).map(({ state }) => state).sort()).toEqual(['DONE', 'QUEUED', 'RUNNING']);
    expect(await jobs.cancel(sweep.id)).toMatchObject({ state: 'CANCELLED', progressDone: 1 });
    expect(await jobs.cancel(sweep.id)).toMatchObject({ state: 'CANCELLED' });
    const cancelled = await partsOf(sweep);
    expect(cancelled.map(({ state, run }) => [state, run!.state]).sort()).toEqual([
      ['CANCELLED', 'CANCELLED'],
      ['CANCELLED', 'CANCELLED'],
      ['DONE', 'TRAINING'], // nobody wrote its run folder here
    ]);
    await jobs.stop();

    const worker = await open();
    expect(await worker.resume(sweep.id)).toMatchObject({ state: 'RUNNING', progressDone: 1, finishedAt: null });
    expect((await partsOf(sweep)).filter(({ run }) => run!.state === 'TRAINING')).toHaveLength(3);
    const attempts: number[] = [];
    await worker.work(trainOnly(async ({ attempt }) => void attempts.push(attempt)));
    await until(sweep, { state: 'DONE', progressDone: 3 });
    // 1 is the attempt that was cancelled, 2 the fence before which nothing is let in any more.
    expect(attempts).toEqual([3, 3]);
    await expect(worker.resume(sweep.id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `Job ${sweep.id} (SWEEP) is DONE: only drawing, a training or a sweep that failed or was cancelled goes on where it was.`,
    });
  });

  it('fails with the word of the part that failed, trains the others, and can be resumed even when the queue has forgotten it', async () => {
    const sweep = await jobs.sweep(request({ epsilons: [0, 0.5] }));
    let broken = true;
    await jobs.work(
      trainOnly(async ({ input }) => {
        if (broken && input.options.epsilon === 0.5) throw new CxrError('BAD_INPUT', 'The training loss is NaN.');
      }),
    );
    await until(sweep, {
      state: 'FAILED',
      progressDone: 1,
      errorCode: 'BAD_INPUT',
      errorMessage: 'Epsilon 0.5: The training loss is NaN.',
    });
    broken = false;
    const [, part] = await partsOf(sweep);
    await database.prisma.$executeRaw`DELETE FROM pgboss.job WHERE id = ${part!.id}::uuid`;
    expect(await jobs.resume(sweep.id)).toMatchObject({ state: 'RUNNING', errorCode: null, errorMessage: null });
    await until(sweep, { state: 'DONE', progressDone: 2 });
  });

  it('goes on in another worker when the one of a part is asked to stop', async () => {
    const stopping = await open();
    await stopping.work(trainOnly(untilAborted));
    const sweep = await jobs.sweep(request({ epsilons: [0.01] }));
    await until(sweep, { state: 'RUNNING' });
    await stopping.stop();
    expect((await reload(sweep)).state).toBe('QUEUED');
    await jobs.work(trainOnly(() => Promise.resolve()));
    await until(sweep, { state: 'DONE' });
    expect(await messages(sweep)).toEqual([
      'Queued',
      'Epsilon 0.01: Started',
      'Epsilon 0.01: The worker was stopped; another one goes on',
      'Epsilon 0.01: Taken up again, attempt 2',
      'Epsilon 0.01: Done',
      'Done',
    ]);
  });

  it.each([
    [{ fromRunId: 'none' }, 'NOT_FOUND', 'There is no run none.'],
    [{ fromRunId: 'lost' }, 'BAD_INPUT', 'The data set of run lost is not registered here: register its prepared file.'],
    [{ fromRunId: 'training' }, 'BAD_INPUT', 'Run training is training: only a finished run can be used.'],
    [{ fromRunId: 'robust' }, 'BAD_INPUT', 'Robust (small) starts from a Baseline run of the same preset; run robust is robust (small).'],
    [{ fromRunId: 'paper' }, 'BAD_INPUT', 'Data set phantom has images of 96 pixels, preset paper takes 224: prepare it with --size 224.'],
  ] as const)('is refused with %j, and nothing is queued', async (wrong, code, message) => {
    const upsert = async (id: string, data: object): Promise<unknown> =>
      (await database.prisma.run.findUnique({ where: { id } })) ?? addRun(id, data);
    await upsert('lost', {});
    await upsert('training', { state: 'TRAINING', dataSetId: dataSet.id });
    await upsert('robust', { method: 'robust', dataSetId: dataSet.id });
    await upsert('paper', { preset: 'paper', dataSetId: dataSet.id });
    const count = () => Promise.all([database.prisma.job.count(), database.prisma.run.count()]);
    const before = await count();
    await expect(jobs.sweep(request(wrong))).rejects.toMatchObject({ code, message });
    expect(await count()).toEqual(before);
  });
});

describe('a training of its own', () => {
  async function enqueue(): Promise<Job> {
    const id = `baseline-${randomUUID()}`;
    return jobs.enqueue('train', { runId: id, name: id, method: 'baseline', preset: 'small', dataSetId: dataSet.id, options: {} });
  }

  it('that is resumed while its cancelled attempt still lets go is not ended by it, not even by its last retry', async () => {
    const job = await enqueue();
    await database.prisma.$executeRaw`UPDATE pgboss.job SET retry_limit = 0 WHERE id = ${job.id}::uuid`;
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const handler = trainOnly(async ({ attempt }) => {
      if (attempt > 1) return;
      await held;
      throw new Error('the disk was away');
    });
    await jobs.work(handler);
    await until(job, { state: 'RUNNING' });
    await jobs.cancel(job.id);
    const resumed = await jobs.resume(job.id);
    // The worker takes no other job before it has settled this one.
    letGo();
    expect(resumed).toMatchObject({ state: 'QUEUED', attempt: 2 });
    await until(job, { state: 'DONE', attempt: 3, errorCode: null });
    expect(await messages(job)).toEqual(['Queued', 'Started', 'Cancelled', 'Resumed', 'Taken up again, attempt 3', 'Done']);
  });

  it('that failed goes on when it is resumed before the queue has heard of its end, however old it is', async () => {
    const boss = new PgBoss({ connectionString: database.url, supervise: false, schedule: false, registerInstance: false, max: 2 });
    await boss.start();
    onTestFinished(() => boss.stop({ graceful: false }));
    const job = await enqueue();
    const [delivered] = await boss.fetch('train', { includeMetadata: true });
    expect(delivered!.id).toBe(job.id);
    await database.prisma.$executeRaw`UPDATE pgboss.job SET keep_until = now() - interval '1 day' WHERE id = ${job.id}::uuid`;
    await claimJob(database.prisma, job.id, 1);
    const error = new CxrError('BAD_INPUT', 'The training loss is NaN.');
    await new AttemptWriter(database.prisma, job.id, 1).write((tx, row) => endJob(tx, row, { state: 'FAILED', error }));

    expect(await jobs.resume(job.id)).toMatchObject({ state: 'QUEUED', errorCode: null });
    await boss.complete('train', delivered!);
    const [queued] = await boss.findJobs('train', { id: job.id });
    expect(queued).toMatchObject({ state: 'retry', retryLimit: 5 });
    expect(queued!.keepUntil.getTime()).toBeGreaterThan(Date.now());
    await jobs.work(trainOnly(() => Promise.resolve()));
    await until(job, { state: 'DONE', attempt: 3 });
  });

  it('is not resumed while the queue puts its last attempt away, and says so', async () => {
    const job = await enqueue();
    await jobs.cancel(job.id);
    const race = async (tx: Prisma.TransactionClient): Promise<{ answer: Promise<unknown> }> => {
      // As pg-boss does it: a failed row is deleted and inserted anew, so that whoever waited for the old one finds none.
      await tx.$executeRaw`CREATE TEMP TABLE away ON COMMIT DROP AS SELECT * FROM pgboss.job WHERE id = ${job.id}::uuid`;
      await tx.$executeRaw`DELETE FROM pgboss.job WHERE id = ${job.id}::uuid`;
      const answer = jobs.resume(job.id).catch((error: unknown) => error);
      const waiting = () => database.prisma.$queryRaw`
        SELECT 1 AS one FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE pgboss.job SET state = ''retry''%'`;
      await expect.poll(waiting, { timeout: 15_000, interval: 20 }).toHaveLength(1);
      await tx.$executeRaw`INSERT INTO pgboss.job SELECT * FROM away`;
      return { answer };
    };
    const { answer } = await database.prisma.$transaction(race, { timeout: 20_000 });
    expect(await answer).toMatchObject({
      code: 'CONFLICT',
      message: `The queue is just putting the last attempt of job ${job.id} away: resume it again in some seconds.`,
    });
    expect(await reload(job)).toMatchObject({ state: 'CANCELLED' });
    expect(await jobs.resume(job.id)).toMatchObject({ state: 'QUEUED' });
    await jobs.cancel(job.id);
  });

  it('that was cancelled goes on when it is resumed; an explanation does not', async () => {
    const job = await enqueue();
    await jobs.cancel(job.id);
    expect(await jobs.resume(job.id)).toMatchObject({ state: 'QUEUED', finishedAt: null });
    expect(await database.prisma.run.findUniqueOrThrow({ where: { id: job.runId! } })).toMatchObject({
      state: 'TRAINING',
      finishedAt: null,
    });
    await expect(jobs.resume(job.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await jobs.work(trainOnly(() => Promise.resolve()));
    await until(job, { state: 'DONE' });
    const explanation = await database.prisma.job.create({ data: { id: randomUUID(), kind: 'EXPLAIN', state: 'FAILED', input: {} } });
    await expect(jobs.resume(explanation.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(jobs.resume('none')).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'There is no job none.' });
  });
});
