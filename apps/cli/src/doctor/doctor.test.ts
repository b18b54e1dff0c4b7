import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FINDINGS, getObject, putObject } from '@cxr-lens/data';
import { type Card, CardSchema, defaultOptions, RunSchema } from '@cxr-lens/model/spec';
import { registerRun, type TestDatabase, testDatabase } from '@cxr-lens/prisma';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { runCli } from '../testing.ts';
import { checkAccess } from './access.ts';
import type { Finding } from './finding.ts';
import { checkObjects } from './objects.ts';
import { checkRuns } from './runs.ts';

let database: TestDatabase;
let home: string;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database?.drop());
beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'cxr-lens-verify-'));
  vi.stubEnv('CXR_HOME', home);
  vi.stubEnv('DATABASE_URL', database.url);
  await database.prisma.study.deleteMany();
  await database.prisma.run.deleteMany();
  return () => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  };
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const fileOf = (key: string): string => path.join(home, 'objects', key.slice(0, 2), key);

type Said = Record<string, { ok: boolean; says: string; details?: string[] }>;

const byPart = (findings: readonly Finding[]): Said => Object.fromEntries(findings.map(({ part, ...finding }) => [part, finding]));

/** The parts that `doctor` adds with the option. */
async function doctor(option: '--verify' | '--repair'): Promise<Said> {
  const { prisma, url } = database;
  const options = { prisma, url, repair: option === '--repair', onProgress: () => undefined };
  return byPart([await checkObjects(options), await checkRuns(options), checkAccess(options)]);
}

/** A finished run as training leaves it, but that nothing computes with its weights. */
function makeRun(id: string): string {
  const folder = path.join(home, 'runs', id);
  const none = { platt: null, operatingPoint: null, reason: 'none', positives: 0, negatives: 0 };
  const shape = { inputSize: 96, featureShape: [12, 12, 132], weightsSha256: sha256('weights') };
  const card: Card = CardSchema.parse({
    ...shape,
    format: 1,
    findings: FINDINGS,
    pixelRange: [0, 1],
    normalisation: { mean: 0.5, std: 0.2, source: 'training images' },
    preprocessingVersion: 'v1',
    pooling: 'average',
    golden: { seed: 'golden', logits: FINDINGS.map(() => 0), tolerance: 1e-3 },
    calibration: Object.fromEntries(FINDINGS.map((finding) => [finding, none])),
    camThresholds: null,
  });
  const at = '2026-01-01T10:00:00.000Z';
  const run = RunSchema.parse({
    ...shape,
    format: 1,
    id,
    name: id,
    method: 'baseline',
    preset: 'small',
    network: 'truncated-densenet121',
    data: null,
    parent: null,
    initialisation: 'he-normal',
    seed: 0,
    options: defaultOptions('baseline'),
    codeVersion: '0',
    engine: 'none',
    state: 'finished',
    error: null,
    epochs: [],
    bestEpoch: 1,
    stepsPerEpoch: 1,
    cardSha256: sha256(JSON.stringify(card)),
    createdAt: at,
    updatedAt: at,
    finishedAt: at,
  });
  mkdirSync(folder, { recursive: true });
  const files = { 'weights.safetensors': 'weights', 'card.json': JSON.stringify(card), 'run.json': JSON.stringify(run) };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

it('finds what is damaged, lost or left over in the store, and repairs what can be', async () => {
  const { prisma } = database;
  await registerRun(prisma, makeRun('r'));
  const keys = { whole: '', lost: '', cam: '', saliency: '', orphan: '' };
  for (const name of Object.keys(keys) as (keyof typeof keys)[]) keys[name] = await putObject(Buffer.from(`bytes of ${name}`));
  const image = (name: string, objectKey: string) => ({
    sopInstanceUid: name,
    objectKey,
    format: 'png',
    width: 1,
    height: 1,
    fileName: `${name}.png`,
  });
  const { images } = await prisma.study.create({
    data: { studyInstanceUid: '1', images: { create: [image('1.1', keys.whole), image('1.2', keys.lost)] } },
    include: { images: { orderBy: { sopInstanceUid: 'asc' } } },
  });
  const sizes = { camWidth: 1, camHeight: 1, camMin: 0, camMax: 0, saliencyWidth: 1, saliencyHeight: 1, saliencyMin: 0, saliencyMax: 0 };
  const pins = { weightsSha256: 'w', cardSha256: 'c', preprocessingVersion: 'v1', codeVersion: '0', datasetHash: 'd' };
  const row = { imageId: images[0]!.id, runId: 'r', finding: 'Mass', logit: 0, camKey: keys.cam, saliencyKey: keys.saliency };
  await prisma.explanation.create({ data: { ...row, ...sizes, ...pins } });
  expect((await doctor('--verify'))['objects']).toEqual({ ok: true, says: '4 objects compared with their SHA-256, all whole' });

  rmSync(fileOf(keys.lost));
  writeFileSync(fileOf(keys.cam), 'other bytes');
  const part = path.join(home, 'objects/unfinished/part');
  writeFileSync(part, 'part');
  for (const file of [fileOf(keys.orphan), part]) utimesSync(file, 1, 1);
  const details = (remedy: string, left: string): string[] => [
    `image ${images[1]!.id} (1.2.png): its bytes are missing: upload the file again`,
    `map of Mass by r of image ${images[0]!.id}: damaged: ${remedy}`,
    `1 object that no row names, 1 unfinished, 0.0 MB: ${left}`,
  ];
  const found = (await doctor('--verify'))['objects']!;
  expect(found.ok).toBe(false);
  expect(found.details).toEqual(details('"Explain again" or --repair makes it anew', 'a worker deletes them within hours, --repair now'));
  expect(Buffer.from(await getObject(keys.orphan)).toString()).toBe('bytes of orphan');

  expect((await doctor('--repair'))['objects']!.details).toEqual(details('is explained again by a worker', 'deleted'));
  await expect(getObject(keys.orphan)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await prisma.job.findMany({ select: { kind: true, imageId: true, input: true } })).toEqual([
    { kind: 'EXPLAIN', imageId: images[0]!.id, input: { imageId: images[0]!.id, runIds: ['r'], findings: [...FINDINGS] } },
  ]);
});

it.each<[string, (folder: string) => void, RegExp]>([
  [
    'weights changed',
    (folder) => writeFileSync(path.join(folder, 'weights.safetensors'), 'w3ights'),
    /weights.safetensors is not what run.json says/,
  ],
  ['weights gone', (folder) => rmSync(path.join(folder, 'weights.safetensors')), /weights.safetensors is missing/],
  ['its card edited', (folder) => edit(path.join(folder, 'card.json'), '0.001', '0.002'), /card.json has SHA-256/],
  ['another card than is registered', (folder) => renewCard(folder), /its card is not the one that is registered/],
  ['no run.json any more', (folder) => rmSync(path.join(folder, 'run.json')), /is no run folder/],
])('finds a run with %s', async (_, harm, says) => {
  const folder = makeRun('r');
  await registerRun(database.prisma, folder);
  expect((await doctor('--verify'))['runs']).toEqual({ ok: true, says: '1 run folder compared with their hashes, all whole' });
  harm(folder);
  const { ok, details } = (await doctor('--verify'))['runs']!;
  expect([ok, details]).toEqual([false, [expect.stringMatching(says)]]);
});

function edit(file: string, from: string, to: string): string {
  const text = readFileSync(file, 'utf8').replace(from, to);
  writeFileSync(file, text);
  return text;
}

/** The card and its hash, as an evaluation does that is not registered yet. */
function renewCard(folder: string): void {
  const run = path.join(folder, 'run.json');
  const cardSha256 = sha256(edit(path.join(folder, 'card.json'), '0.001', '0.002'));
  writeFileSync(run, JSON.stringify({ ...JSON.parse(readFileSync(run, 'utf8')), cardSha256 }));
}

it('names a run of 0.1.0, and deletes what a killed write left an hour ago', async () => {
  const folder = makeRun('old');
  const { cardSha256: _, ...run } = JSON.parse(readFileSync(path.join(folder, 'run.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(path.join(folder, 'run.json'), JSON.stringify(run));
  const [old, young] = [path.join(folder, 'card.json.123.tmp'), path.join(folder, 'card.json.456.tmp')];
  for (const file of [old, young]) writeFileSync(file, 'part');
  utimesSync(old, 1, 1);
  const named = expect.stringMatching(/is of 0\.1\.0 and does not name the SHA-256 of its card/);
  expect((await doctor('--verify'))['runs']).toMatchObject({ ok: false, details: [`${folder}: 1 unfinished file`, named] });
  expect((await doctor('--repair'))['runs']).toMatchObject({ ok: true, details: [named, `${folder}: 1 unfinished file deleted`] });
  expect([statSync(old, { throwIfNoEntry: false }), statSync(young).size]).toEqual([undefined, 4]);
});

it('closes to other accounts what an older version left open', async () => {
  const file = path.join(home, 'objects/aa/file');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '');
  chmodSync(file, 0o644);
  expect((await doctor('--verify'))['access']).toMatchObject({ ok: false });
  expect((await doctor('--repair'))['access']).toMatchObject({ ok: true });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await doctor('--verify'))['access']).toEqual({ ok: true, says: 'files and folders are open to this account alone' });
});

it.each(['--verify', '--repair'])('are parts of the command with %s', async (option) => {
  const { stdout } = await runCli('doctor', '--json', option);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  expect(findings.map(({ part }) => part)).toEqual(['machine', 'engine', 'database', 'storage', 'objects', 'runs', 'access']);
  expect((await runCli('doctor')).stdout).not.toContain('objects');
});
