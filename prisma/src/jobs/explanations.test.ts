import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../testing.ts';
import { explainMissing, retryFailedExplanations } from './explanations.ts';
import { createJobs, type Jobs } from './jobs.ts';

const MINUTE = 60_000;
let database: TestDatabase;
let jobs: Jobs;

beforeAll(async () => {
  database = await testDatabase();
  jobs = await createJobs({ prisma: database.prisma, url: database.url });
  const image = { sopInstanceUid: '1', objectKey: 'a', format: 'png', width: 8, height: 8 };
  await database.prisma.study.create({ data: { id: 'study', studyInstanceUid: '1', images: { create: { id: 'image', ...image } } } });
});

afterAll(async () => {
  await jobs?.stop();
  await database?.drop();
});

beforeEach(async () => {
  await database.prisma.job.deleteMany();
  await database.prisma.run.deleteMany();
});

const addRun = (id: string, active = true) =>
  database.prisma.run.create({
    data: { id, name: id, method: id, preset: 'small', state: 'FINISHED', seed: 0, options: {}, path: '/nowhere', active },
  });

const missing = () => database.prisma.$transaction((tx) => explainMissing({ tx, jobs }, 'image'));
const runsOf = async (id: string | null): Promise<unknown> =>
  ((await database.prisma.job.findUniqueOrThrow({ where: { id: id! } })).input as { runIds: string[] }).runIds;

describe('what is missing', () => {
  it('is asked of every run in use once, and a run put into use since is not hidden by an open job', async () => {
    expect(await missing()).toBeNull();
    await addRun('one');
    await addRun('idle', false);
    const first = await missing();
    expect(await runsOf(first)).toEqual(['one']);
    expect(await missing()).toBe(first);
    await addRun('two');
    const second = await missing();
    expect(await runsOf(second)).toEqual(['two']);
    expect(await missing()).toBe(second);
    await jobs.cancel(first!);
    expect(await runsOf(await missing())).toEqual(['one']);
  });
});

describe('a failed explanation', () => {
  const fail = (createdAgo: number) => {
    const at = new Date(Date.now() - createdAgo);
    const id = `failed-${createdAgo}`;
    return database.prisma.job.create({
      data: { id, kind: 'EXPLAIN', state: 'FAILED', input: { runIds: ['one'] }, imageId: 'image', createdAt: at, finishedAt: at },
    });
  };
  const retry = () => retryFailedExplanations({ prisma: database.prisma, jobs });

  it('is tried again later, after growing pauses, and not for ever', async () => {
    await addRun('one');
    await fail(9 * MINUTE);
    expect(await retry()).toBe(0);
    await database.prisma.job.deleteMany();
    await fail(11 * MINUTE);
    expect(await Promise.all([retry(), retry()])).toEqual(expect.arrayContaining([1, 0]));
    expect(await database.prisma.job.count({ where: { state: 'QUEUED' } })).toBe(1);
    expect(await retry()).toBe(0);
    await database.prisma.job.deleteMany();
    for (const ago of [59, 200]) await fail(ago * MINUTE);
    expect(await retry()).toBe(0);
    await database.prisma.job.deleteMany();
    for (const ago of [61, 200]) await fail(ago * MINUTE);
    expect(await retry()).toBe(1);
    await database.prisma.job.deleteMany();
    for (const days of [20, 19, 18, 17, 16]) await fail(days * 24 * 60 * MINUTE);
    expect(await retry()).toBe(0);
  });

  it('of a run that is no longer in use asks nothing', async () => {
    await addRun('one', false);
    await fail(11 * MINUTE);
    await retry();
    expect(await database.prisma.job.count({ where: { state: 'QUEUED' } })).toBe(0);
  });
});
