import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CxrError, getObject, putObject } from '@cxr-lens/data';
import type { FindingExplanation } from '@cxr-lens/model';
import { type JobAttempt, ownObjects, type TestDatabase, testDatabase } from '@cxr-lens/prisma';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ExplainItem, explain } from './explain.ts';

let database: TestDatabase;
let home: string;
let imageId: string;

beforeAll(async () => {
  database = await testDatabase();
  home = mkdtempSync(path.join(tmpdir(), 'cxr-lens-explain-'));
  process.env['CXR_HOME'] = home;
  const image = { sopInstanceUid: '2.25.1', objectKey: await putObject(new Uint8Array(3)), format: 'png', width: 9, height: 9 };
  const study = { studyInstanceUid: '2.25.2', images: { create: image } };
  imageId = (await database.prisma.study.create({ data: study, include: { images: true } })).images[0]!.id;
  const run = { name: 'r', method: 'baseline', preset: 'small', seed: 1, options: {}, path: '/nowhere', datasetHash: 'd' };
  await database.prisma.run.create({
    data: { ...run, id: 'r', state: 'FINISHED', codeVersion: '0', engine: '-', createdAt: new Date() },
  });
});

afterAll(async () => {
  await database?.drop();
  rmSync(home, { recursive: true, force: true });
});

/** Has its answer ready: what is stored of it is looked at here. */
function saying(value: number, asked: { item: ExplainItem; key: string }[] = []): Parameters<typeof explain>[0]['batcher'] {
  const map = { values: new Float32Array([value, 0, 0, 0]), height: 2, width: 2 };
  const wide = { values: new Float32Array([value, 0]), height: 1, width: 2 };
  const unknown = { probability: null, probabilityReason: 'none', operatingPoint: null, decision: null, camThreshold: null, box: null };
  const answer: FindingExplanation = { logit: value, ...unknown, cam: map, saliency: wide };
  const pins = { weightsSha256: 'w', cardSha256: 'c', preprocessingVersion: 'v1', codeVersion: '0', datasetHash: 'd' };
  return {
    ask(item, { key }) {
      asked.push({ item, key });
      return Promise.resolve({ findings: { Mass: answer }, bits: { bits: 12, source: 'sbit', greatest: 4000, card: null }, pins });
    },
  };
}

function attempt(write: JobAttempt<'explain'>['write']): JobAttempt<'explain'> {
  return {
    jobId: randomUUID(),
    attempt: 1,
    input: { imageId, runIds: ['r'], findings: ['Mass'] },
    signal: new AbortController().signal,
    fence: () => Promise.resolve(),
    write,
    addEvent: () => Promise.resolve(),
    advance: () => Promise.resolve(),
    progress: () => undefined,
  };
}

const stored = (): string[] =>
  readdirSync(path.join(home, 'objects'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();

it('leaves the maps that rows name and no others, whether writing them succeeds or fails', async () => {
  const { prisma } = database;
  const good = attempt((work) => prisma.$transaction(work));
  const failing = attempt((work) =>
    prisma.$transaction(async (tx) => {
      await work(tx);
      throw new CxrError('CANCELLED', 'cancelled meanwhile');
    }),
  );
  await explain({ prisma, batcher: saying(1) }, good);
  const first = stored();
  expect(first).toHaveLength(3);
  await expect(explain({ prisma, batcher: saying(2) }, failing)).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(explain({ prisma, batcher: saying(1) }, failing)).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(stored()).toEqual(first);
  await explain({ prisma, batcher: saying(3) }, good);
  const row = await prisma.explanation.findFirstOrThrow();
  expect(row).toMatchObject({ logit: 3, bits: 12, bitsSource: 'sbit' });
  const { objectKey } = await prisma.image.findFirstOrThrow();
  expect(stored()).toEqual([objectKey, row.camKey, row.saliencyKey].sort());
});

it('makes maps anew that are damaged or gone', async () => {
  const { prisma } = database;
  const again = attempt((work) => prisma.$transaction(work));
  await explain({ prisma, batcher: saying(3) }, again);
  const { camKey, saliencyKey } = await prisma.explanation.findFirstOrThrow();
  const fileOf = (key: string): string => path.join(home, 'objects', key.slice(0, 2), key);
  writeFileSync(fileOf(camKey), 'x');
  rmSync(fileOf(saliencyKey));
  await explain({ prisma, batcher: saying(3) }, again);
  expect(await prisma.explanation.findFirstOrThrow()).toMatchObject({ camKey, saliencyKey });
  for (const key of [camKey, saliencyKey]) expect((await getObject(key)).length).toBeGreaterThan(0);
});

it('shares calls with others by the same run in its first attempt, and goes alone in the next', async () => {
  const { prisma } = database;
  const asked: { item: ExplainItem; key: string }[] = [];
  const batcher = saying(3, asked);
  const jobs = [1, 1, 2, 2].map((number) => ({ ...attempt((work) => prisma.$transaction(work)), attempt: number }));
  for (const job of jobs) {
    await prisma.job.create({ data: { id: job.jobId, kind: 'EXPLAIN', input: {} } });
    await explain({ prisma, batcher }, job);
  }
  const [first, second, ...again] = asked.map(({ key }) => key);
  expect(second).toBe(first);
  expect(new Set([first, ...again]).size).toBe(3);
  const { objectKey } = await prisma.image.findUniqueOrThrow({ where: { id: imageId } });
  const image = { object: objectKey, where: imageId, findings: ['Mass'] };
  for (const { item } of asked) expect(item).toEqual({ run: '/nowhere', image });
});

it('explains with every run that can, says which cannot and why, and tries again only what may go well', async () => {
  const { prisma } = database;
  const run = { method: 'robust', preset: 'small', seed: 1, options: {}, path: '/damaged', state: 'FINISHED' } as const;
  await prisma.run.create({ data: { ...run, id: 'damaged', name: 'damaged', createdAt: new Date(0) } });
  await prisma.job.create({ data: { id: 'job', kind: 'EXPLAIN', input: {} } });
  await prisma.explanation.deleteMany();
  const good = saying(5);
  const events: string[] = [];
  const job = (number: number): JobAttempt<'explain'> => ({
    ...attempt((work) => prisma.$transaction(work)),
    jobId: 'job',
    attempt: number,
    input: { imageId, runIds: ['r', 'damaged'], findings: ['Mass'] },
    addEvent: async (message) => void events.push(message),
  });
  const asked: string[] = [];
  const failing = (error: Error): Parameters<typeof explain>[0]['batcher'] => ({
    ask(item, options) {
      asked.push(item.run);
      return item.run === '/damaged' ? Promise.reject(error) : good.ask(item, options);
    },
  });
  const corrupt = new CxrError('CORRUPT', 'weights.safetensors has other weights than its card names');
  await expect(explain({ prisma, batcher: failing(corrupt) }, job(1))).rejects.toMatchObject({
    code: 'CORRUPT',
    message: '1 of 2 runs gave no explanation. damaged: weights.safetensors has other weights than its card names',
  });
  expect(events).toEqual(['damaged gave no explanation: weights.safetensors has other weights than its card names', 'r: 1 findings']);
  expect(await prisma.explanation.findMany({ select: { runId: true } })).toEqual([{ runId: 'r' }]);

  asked.length = 0;
  await expect(explain({ prisma, batcher: failing(new Error('boom')) }, job(2))).rejects.toThrow('boom');
  expect(asked).toEqual(['/damaged']);
  await explain({ prisma, batcher: good }, job(3));
  expect(await prisma.explanation.count()).toBe(2);
  await prisma.run.delete({ where: { id: 'damaged' } });
});

it('asks with the registered card, and again when an evaluation has registered another one meanwhile', async () => {
  const { prisma } = database;
  const register = (cardSha256: string | null) => prisma.run.update({ where: { id: 'r' }, data: { cardSha256 } });
  const asked: (string | undefined)[] = [];
  const batcher: ReturnType<typeof saying> = {
    async ask(item, options) {
      asked.push(item.cardSha256);
      if (item.cardSha256 === 'new') return saying(3).ask(item, options);
      // An evaluation has written its card and is about to register it.
      if (item.cardSha256 === 'old') void sleep(400).then(() => register('new'));
      throw new CxrError('CORRUPT', 'card.json was changed since');
    },
  };
  await register('old');
  const { id } = await prisma.job.create({ data: { id: randomUUID(), kind: 'EVALUATE', state: 'RUNNING', input: {} } });
  const again = attempt((work) => prisma.$transaction(work));
  await explain({ prisma, batcher }, again);
  await prisma.job.delete({ where: { id } });
  expect(asked).toEqual(['old', 'new']);
  await register('edited');
  const failing = attempt((work) => prisma.$transaction(work));
  await expect(explain({ prisma, batcher }, failing)).rejects.toMatchObject({ code: 'CORRUPT' });
  expect(asked).toEqual(['old', 'new', 'edited']);
  await register(null);
});

it('stores nothing while objects are being deleted', async () => {
  const { prisma } = database;
  const before = stored();
  let explaining: Promise<void> | undefined;
  await prisma.$transaction(async (tx) => {
    await ownObjects(tx);
    explaining = explain(
      { prisma, batcher: saying(4) },
      attempt((work) => prisma.$transaction(work)),
    );
    await expect.poll(() => waiting(), { timeout: 4000 }).toBe(1n);
    expect(stored()).toEqual(before);
  });
  await explaining;
  expect(await prisma.explanation.findFirstOrThrow()).toMatchObject({ logit: 4 });

  async function waiting(): Promise<bigint | undefined> {
    const rows = await prisma.$queryRaw<{ count: bigint }[]>`
      SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    return rows[0]?.count;
  }
});
