import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { decodeNpy, FINDINGS, type Finding, getObject, putObject } from '@cxr-lens/data';
import { sixteenBitPng } from '@cxr-lens/data/testing';
import type { Job } from '@cxr-lens/prisma';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { baseline, createWorld, type World } from './testing.ts';
import { type RunningWorker, startWorker } from './worker.ts';

let world: World;
let worker: RunningWorker;
let runId: string;
const logged: Record<string, unknown>[] = [];

beforeAll(async () => {
  world = await createWorld();
  const write = (line: string): void => void logged.push(JSON.parse(line) as Record<string, unknown>);
  worker = await startWorker({ url: world.database.url, log: pino({ level: 'info' }, { write }) });
});

let stopped: Promise<void> | undefined;
const stopOnce = (): Promise<void> => (stopped ??= worker?.stop());

afterAll(async () => {
  await stopOnce();
  await world?.end();
});

const readJson = (file: string): Record<string, unknown> => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

async function addImage(file: string, bytes = readFileSync(file)): Promise<string> {
  const image = { objectKey: await putObject(bytes), format: 'png', width: 128, height: 128, fileName: path.basename(file) };
  const uid = `2.25.${Math.floor(Math.random() * 1e15)}`;
  const study = await world.database.prisma.study.create({
    data: { studyInstanceUid: uid, images: { create: { ...image, sopInstanceUid: `${uid}.1` } } },
    include: { images: true },
  });
  return study.images[0]!.id;
}

describe('the worker', () => {
  it('trains a run, whose rows follow its folder', async () => {
    const { prisma } = world.database;
    const job = await world.jobs.enqueue('train', baseline(world.dataSet, { maxEpochs: 2 }));
    runId = job.runId!;
    await world.until(job.id, 'DONE');
    const folder = path.join(world.home, 'runs', runId);
    const run = await prisma.run.findUniqueOrThrow({ where: { id: runId }, include: { epochs: true } });
    const file = readJson(path.join(folder, 'run.json'));
    expect(run).toMatchObject({ state: 'FINISHED', name: 'Test', active: true, path: folder, dataSetId: world.dataSet.id, epsilon: null });
    expect(run.epochs.map(({ runId: _, ...epoch }) => epoch)).toEqual(file['epochs']);
    expect(run.weightsSha256).toBe(file['weightsSha256']);
    expect(run.card).toEqual(readJson(path.join(folder, 'card.json')));
    const messages = await world.messages(job.id);
    expect(messages).toHaveLength(5);
    expect(messages[2]).toMatch(/^Epoch 1: validation loss \d/);
    expect(await world.job(job.id)).toMatchObject({ attempt: 1, progressTotal: expect.any(Number) });
  });

  it('evaluates it: AUC of 14 findings, curves of the run and three controls', async () => {
    const job = await world.jobs.enqueue('evaluate', { runIds: [runId], dataSetId: world.dataSet.id });
    await world.until(job.id, 'DONE');
    const [evaluation, ...others] = await world.database.prisma.evaluation.findMany({
      where: { runId },
      include: { auc: true, localization: { include: { points: true } } },
    });
    expect(others).toEqual([]);
    expect(evaluation).toMatchObject({ dataSetId: world.dataSet.id, images: 37, datasetHash: world.dataSet.datasetHash });
    expect(new Set(evaluation!.auc.map(({ finding }) => finding))).toEqual(new Set(FINDINGS));
    expect(evaluation!.localization).toHaveLength(8 * 4);
    expect(evaluation!.localization.every(({ points }) => points.length === 7)).toBe(true);
    const reports = readdirSync(path.join(world.home, 'runs', runId, 'evaluation/phantom-96'));
    expect(reports).toEqual(expect.arrayContaining(['auc.json', 'localization.json', 'report.md', 'scores.csv']));
  });

  it('explains an image: rows with pins, maps in the store; again, the same rows', async () => {
    const { prisma } = world.database;
    const images = path.join(world.phantom, 'images');
    const imageId = await addImage(path.join(images, readdirSync(images)[0]!));
    const first = await world.jobs.enqueue('explain', { imageId, runIds: [runId] });
    await world.until(first.id, 'DONE');
    expect(await world.messages(first.id)).toEqual(['Queued', 'Started', 'Test: 14 findings', 'Done']);
    const rows = await prisma.explanation.findMany({ where: { imageId }, orderBy: { finding: 'asc' } });
    const run = await prisma.run.findUniqueOrThrow({ where: { id: runId } });
    expect(rows.map(({ finding }) => finding)).toEqual([...FINDINGS].sort());
    for (const row of rows) {
      expect(row).toMatchObject({ camWidth: 12, camHeight: 12, saliencyWidth: 96, saliencyHeight: 96 });
      expect(row).toMatchObject({ weightsSha256: run.weightsSha256, cardSha256: run.cardSha256, datasetHash: run.datasetHash });
      const cam = decodeNpy(await getObject(row.camKey), 'cam');
      expect(cam.shape).toEqual([12, 12]);
      expect(Math.max(...cam.data)).toBeCloseTo(row.camMax, 6);
      expect(decodeNpy(await getObject(row.saliencyKey), 'saliency').shape).toEqual([96, 96]);
    }
    const again = async (findings?: Finding[]): Promise<typeof rows> => {
      const job = await world.jobs.enqueue('explain', { imageId, runIds: [runId], ...(findings && { findings }) });
      await world.until(job.id, 'DONE');
      return prisma.explanation.findMany({ where: { imageId }, orderBy: { finding: 'asc' } });
    };
    expect((await again()).map(({ createdAt: _, ...row }) => row)).toEqual(rows.map(({ createdAt: _, ...row }) => row));
    // Gradients of two findings are another pass than those of all: the last bit may be another.
    for (const [at, row] of (await again(['Mass', 'Nodule'])).entries()) {
      const { finding, camKey, logit, saliencyMax } = rows[at]!;
      expect(row).toMatchObject({ finding, camKey, logit });
      expect(row.saliencyMax).toBeCloseTo(saliencyMax, 6);
    }
  });

  it('says of a 16-bit image by how many bits it was read', async () => {
    const samples = Uint16Array.from({ length: 128 * 128 }, (_, i) => i % 4000);
    const bytes = await sixteenBitPng(samples, { width: 128, height: 128 });
    const imageId = await addImage('deep.png', Buffer.from(bytes));
    const job = await world.jobs.enqueue('explain', { imageId, runIds: [runId], findings: ['Mass'] });
    await world.until(job.id, 'DONE');
    expect(await world.database.prisma.explanation.findFirstOrThrow({ where: { imageId } })).toMatchObject({
      bits: 12,
      bitsSource: 'guess',
      preprocessingVersion: 'v2',
    });
  });

  it('says in the job what is wrong with an image that is cut off', async () => {
    const images = path.join(world.phantom, 'images');
    const file = path.join(images, readdirSync(images)[1]!);
    const imageId = await addImage(file, readFileSync(file).subarray(0, 1000));
    const job = await world.jobs.enqueue('explain', { imageId, runIds: [runId] });
    await expect.poll(async () => (await world.job(job.id)).state, { timeout: 20_000 }).toBe('FAILED');
    expect(await world.job(job.id)).toMatchObject({ attempt: 1, errorCode: expect.stringMatching(/BAD_INPUT|CORRUPT/) });
  });

  it('draws phantoms, prepares and registers them; again, it draws nothing', async () => {
    const { prisma } = world.database;
    const request = { name: 'drawn', images: 40, drawnSize: 64, size: 48, seed: 2, prevalence: 'nih' } as const;
    const job = await world.jobs.enqueue('phantom', request);
    await world.until(job.id, 'DONE');
    const file = path.join(world.home, 'data/drawn-48.cxr');
    const dataSet = await prisma.dataSet.findFirstOrThrow({ where: { path: file } });
    expect(dataSet).toMatchObject({ name: 'drawn', size: 48, synthetic: true });
    expect(dataSet.trainImages + dataSet.validationImages + dataSet.testImages).toBe(40);
    expect(await world.job(job.id)).toMatchObject({ dataSetId: dataSet.id, progressTotal: 40 });
    const before = statSync(file).mtimeMs;
    const again = await world.jobs.enqueue('phantom', request);
    await world.until(again.id, 'DONE');
    expect([statSync(file).mtimeMs, (await world.job(again.id)).dataSetId]).toEqual([before, dataSet.id]);
  });

  it.each([
    ['beside its hash', false],
    ['and its hash with it', true],
  ])('decides nothing by a card whose threshold was edited, %s', async (_, withHash) => {
    const images = path.join(world.phantom, 'images');
    const imageId = await addImage(path.join(images, readdirSync(images)[3]!));
    const explained = async (): Promise<Job> => {
      const { id } = await world.jobs.enqueue('explain', { imageId, runIds: [runId], findings: ['Mass'] });
      await expect.poll(async () => (await world.job(id)).finishedAt, { timeout: 20_000 }).not.toBeNull();
      return world.job(id);
    };
    const [card, run] = ['card.json', 'run.json'].map((name) => path.join(world.home, 'runs', runId, name)) as [string, string];
    const before = [readFileSync(card, 'utf8'), readFileSync(run, 'utf8')] as const;
    const edited = before[0].replace('"tolerance": 0.001', '"tolerance": 0.002');
    writeFileSync(card, edited);
    const sha256 = createHash('sha256').update(edited).digest('hex');
    if (withHash) writeFileSync(run, JSON.stringify({ ...JSON.parse(before[1]), cardSha256: sha256 }));
    expect(await explained()).toMatchObject({
      state: 'FAILED',
      errorCode: 'CORRUPT',
      errorMessage: expect.stringContaining('card.json has SHA-256'),
    });
    expect(await world.database.prisma.explanation.count({ where: { imageId } })).toBe(0);
    writeFileSync(card, before[0]);
    writeFileSync(run, before[1]);
    expect(await explained()).toMatchObject({ state: 'DONE' });
  });

  it('stops a training that is cancelled, and explains meanwhile', async () => {
    const images = path.join(world.phantom, 'images');
    const job = await world.jobs.enqueue('train', baseline(world.dataSet, { maxEpochs: 100, patience: 100 }));
    await expect.poll(async () => (await world.job(job.id)).progressDone, { timeout: 30_000 }).toBeGreaterThan(0);
    const imageId = await addImage(path.join(images, readdirSync(images)[2]!));
    const explanation = await world.jobs.enqueue('explain', { imageId, runIds: [runId] });
    await world.until(explanation.id, 'DONE');
    expect((await world.job(job.id)).state).toBe('RUNNING');
    await world.jobs.cancel(job.id);
    const file = path.join(world.home, 'runs', job.runId!, 'run.json');
    await expect.poll(() => readJson(file)['state'], { timeout: 20_000 }).toBe('cancelled');
    expect(await world.database.prisma.run.findUniqueOrThrow({ where: { id: job.runId! } })).toMatchObject({ state: 'CANCELLED' });
  });

  it('explains what waits together, each job for itself, and tells when it stops how many went together', async () => {
    const { prisma } = world.database;
    const images = path.join(world.phantom, 'images');
    const files = readdirSync(images).slice(0, 6);
    const imageIds: string[] = [];
    for (const [index, name] of files.entries()) {
      const bytes = readFileSync(path.join(images, name));
      imageIds.push(await addImage(name, index === 2 ? bytes.subarray(0, 1000) : bytes));
    }
    const [first, ...others] = await prisma.$transaction(async (tx) => {
      const jobs: Job[] = [];
      for (const imageId of imageIds)
        jobs.push(await world.jobs.enqueue('explain', { imageId, runIds: [runId], findings: ['Mass'] }, { tx }));
      return jobs;
    });
    const bad = others.splice(1, 1)[0]!;
    for (const { id } of [first!, ...others]) expect(await world.until(id, 'DONE')).toMatchObject({ attempt: 1 });
    await world.until(bad.id, 'FAILED');
    expect(await world.job(bad.id)).toMatchObject({ attempt: 1, errorMessage: expect.stringContaining(files[2]!) });
    const rows = await prisma.explanation.findMany({ where: { imageId: { in: imageIds } } });
    expect(rows.map(({ imageId }) => imageId).sort()).toEqual(imageIds.filter((_, index) => index !== 2).sort());
    // Each image has the explanation of its own.
    expect(new Set(rows.map(({ camKey }) => camKey)).size).toBe(5);

    await stopOnce();
    const told = logged.flatMap(({ batches }) => (batches ? [batches as Record<string, number>] : []));
    expect(told).toHaveLength(1);
    const sizes = Object.entries(told[0]!).map(([size, calls]) => [Number(size), calls] as const);
    const explained = sizes.reduce((sum, [size, calls]) => sum + size * calls, 0);
    // All jobs but two trainings, an evaluation and two drawings, of one run each.
    expect(explained).toBe(logged.filter(({ msg }) => msg === 'job started').length - 5);
    expect(Math.max(...sizes.map(([size]) => size))).toBeGreaterThan(1);
  });
});
