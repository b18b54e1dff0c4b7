import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cpuFeatures } from '@cxr-lens/model/cpu';
import { defaultOptions, type MethodName } from '@cxr-lens/model/spec';
import { createJobs, type Jobs, type TestDatabase, testDatabase } from '@cxr-lens/prisma';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { conduct } from './conduct.ts';
import { explainWhatCameBefore } from './explain.ts';
import { demoPaths, type Step, scienceSteps } from './science.ts';

let database: TestDatabase;
let jobs: Jobs;
const home = mkdtempSync(path.join(tmpdir(), 'cxr-lens-demo-'));
const paths = demoPaths(home);
const client = () => ({ prisma: database.prisma, jobs });
const never = new AbortController().signal;
const HASH = 'a'.repeat(64);

beforeAll(async () => {
  process.env['CXR_HOME'] = home;
  database = await testDatabase();
  jobs = await createJobs({ prisma: database.prisma, url: database.url });
});

afterAll(async () => {
  await jobs?.stop();
  await database?.drop();
  rmSync(home, { recursive: true, force: true });
});

beforeEach(async () => {
  const { prisma } = database;
  await prisma.study.deleteMany();
  await prisma.job.deleteMany();
  await prisma.run.deleteMany();
  await prisma.dataSet.deleteMany();
});

const addDataSet = () =>
  database.prisma.dataSet.create({
    data: {
      ...{
        name: 'phantom',
        path: paths.prepared,
        size: 96,
        synthetic: true,
        datasetHash: HASH,
        splitHash: HASH,
        preprocessingVersion: 'v1',
      },
      ...{ trainImages: 3, validationImages: 2, testImages: 1, boxedPairs: 1 },
    },
  });

const addRun = (method: MethodName, data: object = {}) => {
  const id = `demo-${method}`;
  const columns = {
    id,
    name: id,
    method,
    preset: 'small',
    state: 'FINISHED' as const,
    seed: 0,
    options: {},
    path: path.join(home, 'runs', id),
  };
  return database.prisma.run.create({ data: { ...columns, weightsSha256: `weights of ${id}`, cardSha256: 'new', ...data } });
};

const addEvaluation = (runId: string, createdAt: Date, weightsSha256 = `weights of ${runId}`) =>
  database.prisma.evaluation.create({
    data: { runId, datasetHash: HASH, protocol: 'paper', protocolDescription: '', weightsSha256, seed: 0, images: 1, createdAt },
  });

async function addImage(createdAt: Date): Promise<string> {
  const uid = `2.25.${randomUUID()}`;
  const image = { sopInstanceUid: `${uid}.1`, objectKey: HASH, format: 'png', width: 8, height: 8, createdAt };
  const study = await database.prisma.study.create({
    data: { studyInstanceUid: uid, images: { create: image } },
    include: { images: true },
  });
  return study.images[0]!.id;
}

const addExplanation = (imageId: string, runId: string, cardSha256: string) =>
  database.prisma.explanation.create({
    data: {
      ...{ imageId, runId, finding: 'Mass', logit: 0, camKey: HASH, camWidth: 1, camHeight: 1, camMin: 0, camMax: 1 },
      ...{ saliencyKey: HASH, saliencyWidth: 1, saliencyHeight: 1, saliencyMin: 0, saliencyMax: 1 },
      ...{ weightsSha256: HASH, cardSha256, preprocessingVersion: 'v1', codeVersion: '0', datasetHash: HASH },
    },
  });

const steps = (): Step[] => scienceSteps(client(), { paths, size: 'whole', address: Promise.resolve('http://127.0.0.1:9') });
const trainingOf = (method: string): Step => steps().find(({ title }) => title.startsWith(`Training ${method} `))!;

describe("the demo's trainings", () => {
  it('end by the stop rule, in bfloat16 where the CPU multiplies it, or after a cap; under ids that stay', async () => {
    await addDataSet();
    const { input } = await trainingOf('Baseline').queue();
    const precision = cpuFeatures().bf16 ? 'bfloat16' : 'float32';
    expect(input).toMatchObject({ runId: 'demo-baseline', fromRunId: null, options: { ...defaultOptions('baseline'), precision } });
    await expect(trainingOf('Robust').queue()).rejects.toThrow(/demo-baseline is training/);
    const capped = [(await trainingOf('CheXNet').queue()).input, (await trainingOf('NIH*').queue()).input];
    expect(capped).toMatchObject([
      { options: { maxEpochs: 6, precision: 'float32' } },
      { options: { maxEpochs: 7, precision: 'float32' } },
    ]);
  });

  it('go on with the options that they were begun with, by 0.1.0 or on another CPU', async () => {
    await addDataSet();
    const { patienceSteps: _, ...before } = { ...defaultOptions('chexnet'), maxEpochs: 6, patience: 5 };
    const folder = paths.runs.chexnet;
    mkdirSync(folder, { recursive: true });
    const run = {
      ...{ format: 1, id: 'demo-chexnet', name: 'demo-chexnet', method: 'chexnet', preset: 'small', network: 'densenet121' },
      ...{ inputSize: 96, featureShape: [3, 3, 200], data: null, parent: null, initialisation: 'he-normal', seed: 0, options: before },
      ...{ codeVersion: '0.1.0', engine: '', state: 'training', error: null, epochs: [], bestEpoch: null, stepsPerEpoch: 42 },
      ...{ weightsSha256: null, createdAt: '2026-11-23T00:00:00Z', updatedAt: '2026-11-23T00:00:00Z', finishedAt: null },
    };
    writeFileSync(path.join(folder, 'run.json'), JSON.stringify(run));
    expect((await trainingOf('CheXNet').queue()).input).toMatchObject({ options: { maxEpochs: 6, patience: 5, patienceSteps: 0 } });
    rmSync(folder, { recursive: true });
  });

  it('are measured when there is an evaluation of their weights', async () => {
    const measuring = steps().at(-1)!;
    expect(await measuring.done()).toBe(false);
    await addDataSet();
    for (const method of ['baseline', 'robust', 'chexnet', 'nih-star'] as const) {
      await addRun(method);
      await addEvaluation(`demo-${method}`, new Date(), method === 'robust' ? 'of an earlier training' : undefined);
    }
    expect(await measuring.done()).toBe(false);
    await database.prisma.evaluation.updateMany({ where: { runId: 'demo-robust' }, data: { weightsSha256: 'weights of demo-robust' } });
    const reports = Object.values(paths.runs).map((run) => path.join(run, 'evaluation/phantom-96/report.md'));
    for (const report of reports) {
      // killed before the last of them was written
      expect(await measuring.done()).toBe(false);
      mkdirSync(path.dirname(report), { recursive: true });
      writeFileSync(report, '');
      // the report of 0.1.0 alone
      expect(await measuring.done()).toBe(false);
      writeFileSync(path.join(path.dirname(report), 'ious.json'), '');
    }
    expect(await measuring.done()).toBe(true);
    rmSync(path.join(home, 'runs'), { recursive: true });
  });
});

describe('the steps of the demo', () => {
  const drawing = { name: 'p', images: 10, drawnSize: 96, size: 48, seed: 1, prevalence: 'nih' } as const;

  function step(done: () => boolean): Step & { queued: number; followed: number } {
    const made = {
      ...{ title: 'A step', queued: 0, followed: 0, says: () => null, done: async () => done() },
      job: () => database.prisma.job.findFirst({ orderBy: { createdAt: 'desc' } }),
      queue: () => {
        made.queued += 1;
        return jobs.enqueue('phantom', drawing);
      },
      after: async () => {
        made.followed += 1;
      },
    };
    return made;
  }

  it('are skipped when they are done; what follows them is done nevertheless', async () => {
    const done = step(() => true);
    await conduct([done], { client: client(), signal: never, say: () => undefined });
    expect([done.queued, done.followed]).toEqual([0, 1]);
  });

  it('take up a job that failed or was cancelled, wait for one that is open, and say when one is cancelled meanwhile', async () => {
    const { id } = await jobs.enqueue('phantom', drawing);
    await jobs.cancel(id);
    const said: string[] = [];
    let end = false;
    const one = step(() => end);
    const conducting = conduct([one], { client: client(), signal: never, say: (line) => said.push(line) });
    const state = async (): Promise<string> => (await database.prisma.job.findUniqueOrThrow({ where: { id } })).state;
    await expect.poll(state).toBe('QUEUED');
    await jobs.cancel(id);
    await expect.poll(() => said.join('\n'), { timeout: 5000 }).toContain('A step was cancelled\nIt goes on when it is resumed');
    await jobs.resume(id);
    end = true;
    await conducting;
    expect([one.queued, one.followed, await database.prisma.job.count()]).toEqual([0, 1, 1]);
  });

  it('end when the demo is stopped', async () => {
    const stop = new AbortController();
    const one = step(() => false);
    const conducting = conduct([one], { client: client(), signal: stop.signal, say: () => undefined });
    await expect.poll(() => one.queued).toBe(1);
    stop.abort();
    await expect(conducting).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a run that has been measured', () => {
  it('explains what came before it and what it answered without thresholds, once; the rest is left', async () => {
    const { prisma } = database;
    await addDataSet();
    const { id: runId } = await addRun('baseline');
    const [before, measured, later] = [new Date('2026-01-01'), new Date('2026-01-02'), new Date('2026-01-03')];
    await addEvaluation(runId, measured);
    const unexplained = await addImage(before);
    const stale = await addImage(later);
    await addExplanation(stale, runId, 'old');
    const fresh = await addImage(before);
    await addExplanation(fresh, runId, 'new');
    await addImage(later);
    const asked = async (): Promise<string[]> => {
      const found = await prisma.job.findMany({ where: { kind: 'EXPLAIN' }, orderBy: { createdAt: 'asc' } });
      return found.map(({ imageId }) => imageId!);
    };
    const explaining = explainWhatCameBefore(client(), [runId], never);
    await expect.poll(asked).toEqual([unexplained, stale].toSorted((a, b) => (a < b ? -1 : 1)));
    // those that end without an answer are not asked for again
    for (const { id } of await prisma.job.findMany()) await jobs.cancel(id);
    await explaining;
    expect(await asked()).toHaveLength(2);
  });

  it('waits for an answer that is under way, and asks again when it came by the old card', async () => {
    const { prisma } = database;
    await addDataSet();
    const { id: runId } = await addRun('baseline');
    await addEvaluation(runId, new Date('2026-01-02'));
    const imageId = await addImage(new Date('2026-01-01'));
    const under = await jobs.enqueue('explain', { imageId, runIds: [runId] });
    const explaining = explainWhatCameBefore(client(), [runId], never);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await prisma.job.count()).toBe(1);
    await addExplanation(imageId, runId, 'old');
    await jobs.cancel(under.id);
    await expect.poll(() => prisma.job.count(), { timeout: 5000 }).toBe(2);
    await prisma.explanation.updateMany({ data: { cardSha256: 'new' } });
    await explaining;
  });
});
