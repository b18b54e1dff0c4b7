import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { type AucFile, type Card, type Curve, defaultOptions, type LocalizationFile, type Run } from '@cxr-lens/model/spec';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../migrate.ts';
import { type TestDatabase, testDatabase } from '../testing.ts';
import { data, runFile, WEIGHTS } from './run.fixture.ts';
import { registerRun } from './run.ts';

let database: TestDatabase;
let home: string;

beforeAll(async () => {
  database = await testDatabase();
  home = mkdtempSync(path.join(tmpdir(), 'cxr-lens-register-'));
});

afterAll(async () => {
  await database?.drop();
  rmSync(home, { recursive: true, force: true });
});

beforeEach(() => database.prisma.run.deleteMany());

function write(file: string, value: unknown): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
}

function writeRun(id: string, change: Partial<Run> = {}, folder = path.join(home, 'runs', id)): string {
  write(path.join(folder, 'run.json'), runFile(id, change));
  return folder;
}

function card(): Card {
  const none = { platt: null, operatingPoint: null, reason: 'none', positives: 0, negatives: 0 };
  return {
    format: 1,
    findings: [...FINDINGS],
    inputSize: 96,
    featureShape: [12, 12, 132],
    pixelRange: [0, 1],
    normalisation: { mean: 0.5, std: 0.2, source: 'training images' },
    imported: null,
    preprocessingVersion: 'v1',
    bits: null,
    pooling: 'average',
    weightsSha256: WEIGHTS,
    golden: { seed: 'golden', logits: FINDINGS.map(() => 0), tolerance: 1e-3 },
    calibration: Object.fromEntries(FINDINGS.map((finding) => [finding, none])) as Card['calibration'],
    camThresholds: null,
  };
}

function writeEvaluation(folder: string, name: string, head: Partial<AucFile> = {}, change: Partial<LocalizationFile> = {}): void {
  const common = {
    format: 1 as const,
    runId: path.basename(folder),
    weightsSha256: WEIGHTS,
    data,
    seed: 0,
    resamples: 10,
    codeVersion: '0.1.0',
    createdAt: '2026-01-02T10:00:00.000Z',
    excludedPatients: 0,
    ...head,
  };
  const row = { auc: 0.75, variance: 0.01, ci: [0.6, 0.9] as [number, number], bootstrap: null, positives: 15, negatives: 15 };
  const none = { ...row, auc: null, variance: null, ci: null, positives: 0, reason: 'no positive image' };
  const auc: AucFile = {
    ...common,
    images: 20,
    findings: Object.fromEntries(FINDINGS.map((finding) => [finding, finding === 'Hernia' ? none : row])) as AucFile['findings'],
    mean: { auc: 0.75, bootstrap: [0.7, 0.8], findings: 13 },
  };
  const points = [0.1, 0.2].map((iouThreshold) => ({ iouThreshold, accuracy: 0.5, low: 0.25, high: 0.75, sd: 0.125 }));
  const curve: Curve = { pairs: 4, threshold: 180, meanIou: 0.5, reason: 'few pairs', points, foldThresholds: [], scored: [] };
  const result = {
    protocol: { name: 'paper', description: 'as in the paper' },
    seed: 0,
    findings: Object.fromEntries(BOXED_FINDINGS.map((finding) => [finding, curve])) as LocalizationFile['run']['findings'],
  };
  const controls = { random: result, centre: result, bestReachable: result };
  const localization: LocalizationFile = { ...common, run: result, controls, others: [], ...change };
  write(path.join(folder, 'evaluation', name, 'auc.json'), auc);
  write(path.join(folder, 'evaluation', name, 'localization.json'), localization);
}

const rowsOf = (id: string) =>
  database.prisma.run.findUniqueOrThrow({
    where: { id },
    include: { epochs: true, evaluations: { include: { auc: true, localization: { include: { points: true } } } } },
  });

describe('registerRun', () => {
  it('makes rows of everything in the folder, and the same rows again', async () => {
    const folder = writeRun('a');
    writeEvaluation(folder, 'phantom-96');
    await registerRun(database.prisma, folder);
    const first = await rowsOf('a');
    expect(first).toMatchObject({ name: 'The run a', state: 'FINISHED', epsilon: null, active: true, path: folder, bestEpoch: 2 });
    expect(first.createdAt.toISOString()).toBe('2026-01-01T10:00:00.000Z');
    expect(first.epochs).toHaveLength(2);
    const [evaluation] = first.evaluations;
    expect(evaluation).toMatchObject({ protocol: 'paper', images: 20, meanAuc: 0.75, meanAucLow: 0.7, meanAucHigh: 0.8 });
    const hernia = evaluation!.auc.find(({ finding }) => finding === 'Hernia');
    expect(hernia).toMatchObject({ auc: null, low: null, positives: 0, reason: 'no positive image' });
    expect(evaluation!.auc.find(({ finding }) => finding === 'Mass')).toMatchObject({ auc: 0.75, low: 0.6, high: 0.9, reason: null });
    expect(evaluation!.localization).toHaveLength(32);
    expect(evaluation!.localization[0]!.points).toHaveLength(2);
    await registerRun(database.prisma, folder);
    const second = await rowsOf('a');
    const ids = (rows: typeof first) => rows.evaluations.map(({ id }) => id);
    expect(ids(second)).toEqual(ids(first));
    expect(await database.prisma.localizationCurve.count()).toBe(32);
    expect(await database.prisma.epoch.count()).toBe(2);
  });

  it('follows a folder that changes: newest evaluation of a data set, none of other weights', async () => {
    const folder = writeRun('b');
    writeEvaluation(folder, 'one', { createdAt: '2026-01-02T10:00:00.000Z' });
    writeEvaluation(folder, 'two', { createdAt: '2026-01-03T10:00:00.000Z' });
    writeEvaluation(folder, 'old', { weightsSha256: '2'.repeat(64), data: { ...data, datasetHash: 'f'.repeat(64) } });
    await registerRun(database.prisma, folder);
    const { evaluations } = await rowsOf('b');
    expect(evaluations.map(({ createdAt }) => createdAt.toISOString())).toEqual(['2026-01-03T10:00:00.000Z']);
    rmSync(path.join(folder, 'evaluation'), { recursive: true });
    await registerRun(database.prisma, folder);
    expect((await rowsOf('b')).evaluations).toEqual([]);
  });

  it('keeps every protocol apart, each with its own controls, and what only one of them counts', async () => {
    const folder = writeRun('n', { method: 'nih' });
    const points = [0.1, 0.2].map((iouThreshold) => ({ iouThreshold, accuracy: 0.75, low: 0.5, high: 1, sd: null }));
    const iobb = { points: points.map((point) => ({ ...point, accuracy: 0.875 })), falsePositives: [0.25, 0.5] };
    const curve = (change: Partial<Curve> = {}): Curve => {
      return { pairs: 4, threshold: null, meanIou: 0.5, reason: null, points, foldThresholds: [], scored: [], ...change };
    };
    const by = (name: string, own: Curve): LocalizationFile['run'] => ({
      protocol: { name, description: `as in ${name}` },
      seed: 0,
      findings: Object.fromEntries(BOXED_FINDINGS.map((finding) => [finding, own])) as LocalizationFile['run']['findings'],
    });
    const random = by('nih', curve({ points: points.map((point) => ({ ...point, accuracy: 0.0625 })) }));
    const nih = {
      run: by('nih', curve({ falsePositives: [1.5, 2.5], iobb })),
      controls: { random, centre: by('nih', curve()), bestReachable: by('nih', curve()) },
    };
    writeEvaluation(folder, 'phantom-96', { excludedPatients: 7 }, { others: [nih] });
    await registerRun(database.prisma, folder);
    const { evaluations } = await rowsOf('n');
    const [own, paper] = ['nih', 'paper'].map((name) => evaluations.find(({ protocol }) => protocol === name)!);
    expect(evaluations).toHaveLength(2);
    expect([own!, paper!].map(({ excludedPatients, protocolDescription }) => [excludedPatients, protocolDescription])).toEqual([
      [7, 'as in nih'],
      [7, 'as in the paper'],
    ]);
    const pointsOf = (evaluation: typeof own, kind: string) =>
      evaluation!.localization
        .find((row) => row.kind === kind && row.finding === 'Mass')!
        .points.toSorted((a, b) => a.iouThreshold - b.iouThreshold);
    expect(pointsOf(own, 'RUN')).toMatchObject([
      { accuracy: 0.75, falsePositives: 1.5, iobbAccuracy: 0.875, iobbLow: 0.5, iobbHigh: 1, iobbFalsePositives: 0.25 },
      { accuracy: 0.75, falsePositives: 2.5, iobbFalsePositives: 0.5 },
    ]);
    expect(pointsOf(own, 'RANDOM')[0]).toMatchObject({ accuracy: 0.0625, falsePositives: null, iobbAccuracy: null });
    expect(pointsOf(paper, 'RUN')[0]).toMatchObject({ accuracy: 0.5, falsePositives: null, iobbAccuracy: null, iobbFalsePositives: null });
    expect(await database.prisma.localizationCurve.count()).toBe(64);
    writeEvaluation(folder, 'phantom-96');
    await registerRun(database.prisma, folder);
    expect((await rowsOf('n')).evaluations).toMatchObject([{ id: paper!.id, protocol: 'paper', excludedPatients: 0 }]);
  });

  it('has no interval of few cases, nor of a mean that they are in, whatever a file of 0.1.0 says', async () => {
    const folder = writeRun('few');
    writeEvaluation(folder, 'phantom-96');
    const file = path.join(folder, 'evaluation', 'phantom-96', 'auc.json');
    const auc = JSON.parse(readFileSync(file, 'utf8')) as AucFile;
    const mass = { ...auc.findings.Mass, auc: 1, ci: [1, 1], bootstrap: [1, 1], positives: 1 };
    write(file, { ...auc, findings: { ...auc.findings, Mass: mass } });
    await registerRun(database.prisma, folder);
    const [evaluation] = (await rowsOf('few')).evaluations;
    expect(evaluation).toMatchObject({ meanAuc: 0.75, meanAucLow: null, meanAucHigh: null });
    const none = { low: null, high: null, bootstrapLow: null, bootstrapHigh: null };
    expect(evaluation!.auc.find(({ finding }) => finding === 'Mass')).toMatchObject({ auc: 1, ...none, reason: 'few cases' });
    expect(evaluation!.auc.find(({ finding }) => finding === 'Nodule')).toMatchObject({ auc: 0.75, low: 0.6, reason: null });
  });

  it('rows of 0.1.0 lose what is no interval with the migration, and keep the rest', async () => {
    const { prisma } = database;
    const folder = writeRun('old');
    writeEvaluation(folder, 'phantom-96');
    await registerRun(prisma, folder);
    const before = await rowsOf('old');
    const [evaluation] = before.evaluations;
    const [zero, rare, kept] = evaluation!.localization.map(({ id }) => id);
    await prisma.aucResult.updateMany({
      where: { evaluationId: evaluation!.id, finding: 'Edema' },
      data: { positives: 9, low: 1, high: 1 },
    });
    await prisma.localizationCurve.updateMany({ data: { pairs: 40 } });
    await prisma.localizationPoint.updateMany({ where: { curveId: zero! }, data: { accuracy: 0.5, low: 0.5, high: 0.5 } });
    await prisma.localizationPoint.updateMany({
      where: { curveId: rare! },
      data: { accuracy: 0.9, low: 0.8, high: 1, iobbLow: 0, iobbHigh: 0 },
    });
    const sql = readFileSync(path.join(MIGRATIONS, '20261130020500_few_cases', 'migration.sql'), 'utf8');
    for (const statement of sql.split(';').filter((text) => text.trim())) await prisma.$executeRawUnsafe(statement);
    const [after] = (await rowsOf('old')).evaluations;
    expect(after).toMatchObject({ meanAuc: 0.75, meanAucLow: null, meanAucHigh: null });
    expect(after!.auc.find(({ finding }) => finding === 'Edema')).toMatchObject({ auc: 0.75, low: null, high: null, reason: 'few cases' });
    const aucs = (one: typeof after) => one!.auc.filter(({ finding }) => finding !== 'Edema');
    expect(aucs(after)).toEqual(aucs(evaluation));
    const ends = (id: string | undefined) =>
      after!.localization.find((curve) => curve.id === id)!.points.map(({ low, high }) => [low, high]);
    expect([ends(zero), ends(rare), ends(kept)]).toEqual([
      [
        [null, null],
        [null, null],
      ],
      [
        [null, null],
        [null, null],
      ],
      [
        [0.25, 0.75],
        [0.25, 0.75],
      ],
    ]);
  });

  it('registers the parent that lies beside it, and puts the first finished run of each method into use', async () => {
    writeRun('base');
    const parent = { id: 'base', method: 'baseline' as const, weightsSha256: WEIGHTS };
    const robust = await registerRun(database.prisma, writeRun('robust', { method: 'robust', parent }));
    expect(robust).toMatchObject({ parentId: 'base', active: true, epsilon: 0.005 });
    expect(await rowsOf('base')).toMatchObject({ active: true });
    expect(await registerRun(database.prisma, writeRun('later'))).toMatchObject({ active: false });
    expect(await registerRun(database.prisma, writeRun('going', { state: 'training', bestEpoch: null }))).toMatchObject({ active: false });
  });

  it("never puts a sweep's control into use: at epsilon 0 Robust has seen nothing perturbed", async () => {
    const robust = (epsilon: number): Partial<Run> => ({ method: 'robust', options: { ...defaultOptions('robust'), seed: 3, epsilon } });
    expect(await registerRun(database.prisma, writeRun('epsilon-0', robust(0)))).toMatchObject({ active: false, epsilon: 0 });
    expect(await registerRun(database.prisma, writeRun('epsilon-0.01', robust(0.01)))).toMatchObject({ active: true, epsilon: 0.01 });
  });

  it('puts no run into use whose validation loss exploded, and the next one that finishes', async () => {
    const exploded = (validationLoss: number): Partial<Run> => {
      const epoch = { epoch: 1, trainLoss: 70, validationLoss, perturbedValidationLoss: null, probe: null, validationAuc: 0.4, seconds: 1 };
      return { epochs: [epoch], bestEpoch: 1 };
    };
    expect(await registerRun(database.prisma, writeRun('exploded', exploded(3.6e11)))).toMatchObject({ state: 'FINISHED', active: false });
    expect(await registerRun(database.prisma, writeRun('healthy', exploded(18.4)))).toMatchObject({ active: true });
    // what people have put into use stays so
    await database.prisma.run.update({ where: { id: 'exploded' }, data: { active: true } });
    expect(await registerRun(database.prisma, writeRun('exploded', exploded(3.6e11)))).toMatchObject({ active: true });
  });

  it('takes an imported network, which no data set is known of', async () => {
    const imported = { id: 'i', network: 'densenet121' as const, sourceSha256: WEIGHTS, weightsSha256: WEIGHTS, head: 'findings' as const };
    const change = { method: 'chexnet', data: null, imported, initialisation: 'imported', bestEpoch: null } as const;
    const row = await registerRun(database.prisma, writeRun('i', { ...change, epochs: [] }));
    expect(row).toMatchObject({ state: 'FINISHED', active: true, datasetHash: null, dataSetId: null, bestEpoch: null });
  });

  it.each(['FAILED', 'CANCELLED'] as const)('leaves a run %s whose job ended so, though its file still says training', async (state) => {
    const { prisma } = database;
    const folder = writeRun('left', { state: 'training', bestEpoch: null, finishedAt: null });
    await registerRun(prisma, folder);
    const end = { state, error: 'its worker died', finishedAt: new Date() };
    await prisma.run.update({ where: { id: 'left' }, data: end });
    await prisma.job.create({ data: { id: `job-${state}`, kind: 'TRAIN', state, runId: 'left', input: {} } });
    expect(await registerRun(prisma, folder)).toMatchObject(end);
    writeRun('left');
    expect(await registerRun(prisma, folder)).toMatchObject({ state: 'FINISHED', error: null });
  });

  it('finds a moved folder again, and refuses a second folder with the same run', async () => {
    const folder = writeRun('c');
    await registerRun(database.prisma, folder);
    const copy = writeRun('c', {}, path.join(home, 'elsewhere/c'));
    await expect(registerRun(database.prisma, copy)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/so does .*runs\/c/),
    });
    rmSync(folder, { recursive: true });
    expect(await registerRun(database.prisma, copy)).toMatchObject({ path: copy });
  });

  it('can be asked for by many at once', async () => {
    const folder = writeRun('d');
    writeEvaluation(folder, 'phantom-96');
    await Promise.all([1, 2, 3].map(() => registerRun(database.prisma, folder)));
    expect((await rowsOf('d')).evaluations).toHaveLength(1);
  });

  it('puts one run into use when several of a method are registered at once', async () => {
    await Promise.all(['p', 'q', 's'].map((id) => registerRun(database.prisma, writeRun(id))));
    expect(await database.prisma.run.count({ where: { active: true } })).toBe(1);
  });

  it('stores the hash of the card, and accepts the one of 0.1.0, which run.json does not name', async () => {
    const folder = writeRun('c');
    write(path.join(folder, 'card.json'), card());
    const sha256 = createHash('sha256').update(JSON.stringify(card())).digest('hex');
    expect(await registerRun(database.prisma, folder)).toMatchObject({ cardSha256: sha256 });
    writeRun('c', { cardSha256: 'c'.repeat(64), nextCardSha256: sha256 });
    expect(await registerRun(database.prisma, folder)).toMatchObject({ cardSha256: sha256 });
  });

  it.each([
    ['NOT_FOUND', /no run folder: it has no run\.json/, (folder: string) => rmSync(path.join(folder, 'run.json'))],
    ['CORRUPT', /run\.json is no JSON/, (folder: string) => write(path.join(folder, 'run.json'), '{ "format": 1,')],
    ['CORRUPT', /run\.json: seed: /, (folder: string) => writeRun('e', { seed: 'x' as unknown as number }, folder)],
    [
      'CORRUPT',
      /card\.json has SHA-256 .* changed by hand/,
      (folder: string) => {
        writeRun('e', { cardSha256: 'c'.repeat(64) }, folder);
        write(path.join(folder, 'card.json'), card());
      },
    ],
    ['CORRUPT', /card\.json: /, (folder: string) => write(path.join(folder, 'card.json'), { format: 1 } as Partial<Card>)],
    ['CORRUPT', /auc\.json: /, (folder: string) => write(path.join(folder, 'evaluation/x/auc.json'), {})],
  ])('says %s for %s', async (code, message, spoil) => {
    rmSync(path.join(home, 'runs/e'), { recursive: true, force: true });
    const folder = writeRun('e');
    spoil(folder);
    await expect(registerRun(database.prisma, folder)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await database.prisma.run.count()).toBe(0);
  });
});
