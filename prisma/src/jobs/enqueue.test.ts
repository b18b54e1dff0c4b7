import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { CxrError, cxrHome } from '@cxr-lens/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../generated/client/client.ts';
import { type TestDatabase, testDatabase } from '../testing.ts';
import type { JobRequest } from './inputs.ts';
import { createJobs, type JobHandlers, type Jobs } from './jobs.ts';

let database: TestDatabase;
let jobs: Jobs;
let dataSetId: string;
const seen = new Map<string, number>();

const unexpected = (): Promise<void> => Promise.reject(new CxrError('BAD_INPUT', 'no such job was expected here'));
const handlers: JobHandlers = {
  phantom: () => Promise.resolve(),
  train: async ({ jobId, input }) => void seen.set(jobId, input.options.patienceSteps),
  evaluate: unexpected,
  explain: unexpected,
};

beforeAll(async () => {
  database = await testDatabase();
  jobs = await createJobs({ prisma: database.prisma, url: database.url });
  const hash = 'a'.repeat(64);
  const columns = {
    name: 'phantom',
    path: '/nowhere',
    size: 96,
    synthetic: true,
    datasetHash: hash,
    splitHash: hash,
    preprocessingVersion: 'v1',
  };
  const counts = { trainImages: 3, validationImages: 2, testImages: 1, boxedPairs: 1 };
  dataSetId = (await database.prisma.dataSet.create({ data: { ...columns, ...counts } })).id;
});

afterAll(async () => {
  await jobs?.stop();
  await database?.drop();
});

function training(): JobRequest<'train'> {
  return { runId: `baseline-${randomUUID()}`, name: 'test', method: 'baseline', preset: 'small', dataSetId, options: {} };
}

const until = (job: Job, state: Job['state']): Promise<void> =>
  expect
    .poll(() => database.prisma.job.findUniqueOrThrow({ where: { id: job.id } }), { timeout: 15_000, interval: 30 })
    .toMatchObject({ state });

describe('a job', () => {
  it('goes on with a run that was begun in its folder on the command line, and with no other', async () => {
    const { prisma } = database;
    const request = training();
    const begun = { name: 'test', method: 'baseline', preset: 'small', seed: 0, options: {} };
    const made = { ...begun, id: request.runId, path: path.join(cxrHome(), 'runs', request.runId) };
    const refused = async (data: object): Promise<void> => {
      await prisma.run.upsert({ where: { id: request.runId }, create: { ...made, state: 'TRAINING', ...data }, update: data });
      await expect(jobs.enqueue('train', request)).rejects.toMatchObject({ code: 'CONFLICT' });
    };
    await refused({ path: '/elsewhere' });
    await refused({ path: made.path, state: 'FINISHED' });
    await prisma.run.update({ where: { id: request.runId }, data: { state: 'FAILED', error: 'the disk was full' } });
    const job = await jobs.enqueue('train', request);
    expect(await prisma.run.findUniqueOrThrow({ where: { id: request.runId } })).toMatchObject({ state: 'TRAINING', error: null });
    await refused({});
    await jobs.cancel(job.id);
  });

  it('of a version without `patienceSteps` keeps its stop rule, a new one has the default', async () => {
    const [old, made] = [await jobs.enqueue('train', training()), await jobs.enqueue('train', training())];
    const { options, ...input } = old.input as { options: { patienceSteps?: number } };
    delete options.patienceSteps;
    await database.prisma.job.update({ where: { id: old.id }, data: { input: { ...input, options } } });
    await jobs.work(handlers);
    for (const job of [old, made]) await until(job, 'DONE');
    expect([seen.get(old.id), seen.get(made.id)]).toEqual([0, 500]);
  });

  it('that draws phantoms goes on where it was when it is resumed', async () => {
    const job = await jobs.enqueue('phantom', { name: 'p', images: 10, drawnSize: 96, size: 48, seed: 1, prevalence: 'nih' });
    expect(job).toMatchObject({ kind: 'PHANTOM', runId: null, dataSetId: null });
    await jobs.cancel(job.id);
    expect(await jobs.resume(job.id)).toMatchObject({ state: 'QUEUED' });
    await until(job, 'DONE');
    const upwards = jobs.enqueue('phantom', { name: '../up', images: 10, drawnSize: 96, size: 48, seed: 1, prevalence: 'nih' });
    await expect(upwards).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});
