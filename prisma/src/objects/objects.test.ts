import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getObject, putObject } from '@cxr-lens/data';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../testing.ts';
import { shareObjects } from './lock.ts';
import { findUnused, sweepObjects } from './sweep.ts';
import { verifyObjects } from './verify.ts';

let database: TestDatabase;
let home: string;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await database.prisma.study.deleteMany();
  home = mkdtempSync(path.join(tmpdir(), 'cxr-lens-objects-'));
  process.env['CXR_HOME'] = home;
  return () => rmSync(home, { recursive: true, force: true });
});

const fileOf = (key: string): string => path.join(home, 'objects', key.slice(0, 2), key);
const put = (text: string): Promise<string> => putObject(Buffer.from(text));
const stored = async (): Promise<string[]> =>
  (await readdir(path.join(home, 'objects'), { recursive: true, withFileTypes: true })).flatMap((entry) =>
    entry.isFile() ? [entry.name] : [],
  );

function makeOld(file: string): void {
  const then = Date.now() / 1000 - 7200;
  utimesSync(file, then, then);
}

let images = 0;
async function addImage(text: string): Promise<{ id: string; key: string }> {
  const key = await put(text);
  images += 1;
  const image = { sopInstanceUid: `1.${images}`, objectKey: key, format: 'png', width: 1, height: 1, fileName: `${text}.png` };
  const { id } = (
    await database.prisma.study.create({ data: { studyInstanceUid: `2.${images}`, images: { create: image } }, include: { images: true } })
  ).images[0]!;
  return { id, key };
}

async function addMaps(imageId: string, text: string): Promise<{ camKey: string; saliencyKey: string }> {
  const run = { id: 'r', name: 'r', method: 'baseline', preset: 'small', seed: 1, options: {}, path: '/nowhere', createdAt: new Date() };
  await database.prisma.run.upsert({ where: { id: 'r' }, create: { ...run, state: 'FINISHED' }, update: {} });
  const keys = { camKey: await put(`cam of ${text}`), saliencyKey: await put(`saliency of ${text}`) };
  const sizes = { camWidth: 1, camHeight: 1, camMin: 0, camMax: 0, saliencyWidth: 1, saliencyHeight: 1, saliencyMin: 0, saliencyMax: 0 };
  const pins = { weightsSha256: 'w', cardSha256: 'c', preprocessingVersion: 'v1', codeVersion: '0', datasetHash: 'd' };
  await database.prisma.explanation.create({ data: { imageId, runId: 'r', finding: 'Mass', logit: 0, ...keys, ...sizes, ...pins } });
  return keys;
}

describe('the sweep', () => {
  it('deletes old objects that no row names and old unfinished ones, and nothing else', async () => {
    const { id, key } = await addImage('a');
    const { camKey, saliencyKey } = await addMaps(id, 'a');
    const [old, young] = [await put('old orphan'), await put('young orphan')];
    const unfinished = path.join(home, 'objects/unfinished');
    for (const name of ['old', 'young']) writeFileSync(path.join(unfinished, name), 'part');
    for (const file of [fileOf(old), path.join(unfinished, 'old'), ...[key, camKey, saliencyKey].map(fileOf)]) makeOld(file);
    const swept = await sweepObjects(database.prisma);
    expect(swept).toEqual({ orphans: [old], unfinished: [path.join(unfinished, 'old')], bytes: 'old orphan'.length + 4, foreign: false });
    expect((await stored()).sort()).toEqual([key, camKey, saliencyKey, young, 'young'].sort());
  });

  it('waits for whoever stores bytes, and keeps them once their row is there', async () => {
    await addImage('b');
    const { prisma } = database;
    let sweeping: ReturnType<typeof sweepObjects> | undefined;
    const key = await prisma.$transaction(async (tx) => {
      await shareObjects(tx);
      const stored = await put('being stored');
      makeOld(fileOf(stored));
      sweeping = sweepObjects(prisma);
      await expect.poll(waiting, { timeout: 4000 }).toBe(1n);
      const image = { sopInstanceUid: '3.1', objectKey: stored, format: 'png', width: 1, height: 1 };
      await tx.study.create({ data: { studyInstanceUid: '3.2', images: { create: image } } });
      return stored;
    });
    expect((await sweeping)?.orphans).toEqual([]);
    expect(Buffer.from(await getObject(key)).toString()).toBe('being stored');
  });

  it('deletes nothing of a store whose rows are in another database', async () => {
    const keys = [await put('x'), await put('y')];
    for (const key of keys) makeOld(fileOf(key));
    // Nothing says so: an empty database beside a full store.
    expect(await sweepObjects(database.prisma)).toMatchObject({ foreign: true, orphans: [] });
    writeFileSync(path.join(home, 'objects.json'), JSON.stringify({ database: 'another' }));
    const images = ['1', '2', '3'].map((name) => addImage(name));
    for (const image of images) makeOld(fileOf((await image).key));
    expect(await sweepObjects(database.prisma)).toMatchObject({ foreign: true, orphans: [] });
    expect(await stored()).toHaveLength(5);
    rmSync(path.join(home, 'objects.json'));
    expect((await sweepObjects(database.prisma)).orphans.sort()).toEqual(keys.sort());
    // From now on it is this database's, even when all rows are lost: but a database that lost them keeps its name.
    expect(await findUnused(database.prisma)).toMatchObject({ foreign: false, orphans: [] });
  });

  it('has nothing to do where nothing was stored', async () => {
    expect(await sweepObjects(database.prisma)).toEqual({ orphans: [], unfinished: [], bytes: 0, foreign: false });
    await mkdir(path.join(home, 'objects'));
    expect(await sweepObjects(database.prisma)).toEqual({ orphans: [], unfinished: [], bytes: 0, foreign: false });
  });

  async function waiting(): Promise<bigint | undefined> {
    const rows = await database.prisma.$queryRaw<{ count: bigint }[]>`
      SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    return rows[0]?.count;
  }
});

describe('verifying', () => {
  it('names images and maps whose bytes are gone or not those that were stored', async () => {
    const [whole, gone, changed] = [await addImage('whole'), await addImage('gone'), await addImage('changed')];
    await addMaps(whole.id, 'whole');
    const maps = await addMaps(gone.id, 'gone');
    rmSync(fileOf(gone.key));
    writeFileSync(fileOf(changed.key), 'chang3d');
    writeFileSync(fileOf(maps.saliencyKey), '');
    const seen: number[] = [];
    const found = await verifyObjects(database.prisma, { onProgress: ({ done, total }) => seen.push(done / total) });
    const images = [
      { id: gone.id, fileName: 'gone.png', harm: 'missing' },
      { id: changed.id, fileName: 'changed.png', harm: 'damaged' },
    ];
    expect(found).toEqual({ checked: 7, images, maps: [{ imageId: gone.id, runId: 'r', finding: 'Mass', harm: 'damaged' }] });
    expect(seen.at(-1)).toBe(1);
  });
});
