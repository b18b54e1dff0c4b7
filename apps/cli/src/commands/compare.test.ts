import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeNpy, FINDINGS, openPrepared, type PreparedData, prepare, writePhantom } from '@cxr-lens/data';
import {
  auc,
  centreIous,
  compareRuns,
  type LocalizationPair,
  localization,
  localizationControls,
  PAPER_PROTOCOL,
  PATCHES_PROTOCOL,
  pairIous,
  patchIous,
  patchLocalization,
  patientParts,
  type ScoreTable,
} from '@cxr-lens/eval';
import { noiseMap, uniform } from '@cxr-lens/eval/testing';
import { boxedPatients, writeIous } from '@cxr-lens/model/ious';
import { defaultOptions, type TrainOptions } from '@cxr-lens/model/spec';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-compare-'));
const inside = (...names: string[]): string => path.join(folder, ...names);
const WEIGHTS = { b: 'b'.repeat(64), r: 'c'.repeat(64) };
let file: string;
let data: PreparedData;

const run = (...args: string[]): ReturnType<typeof runCli> => runCli('compare', ...args);

interface Stored {
  method?: 'baseline' | 'robust' | 'supervised';
  /** Of Supervised, which is scored on the fifth that it left out. */
  fold?: number;
  /** How much its scores and maps know. */
  skill: number;
  weights?: string;
  /** Of the folder of the evaluation, and what it says of itself. */
  evaluation?: string;
  datasetHash?: string;
  seed?: number;
  /** As 0.1.0 wrote it: its maps, but no IoUs. */
  old?: true;
  /** Of its run now. */
  weightsNow?: string;
}

const testRows = (): number[] => data.rows('test');

function scoresOf(skill: number): ScoreTable {
  const images = testRows().map((row) => data.images[row]!.name);
  const column = (index: number): number[] =>
    testRows().map((row, i) => Math.fround(uniform(100 * skill + index, i) + skill * data.labels[row * FINDINGS.length + index]!));
  return { images, scores: Object.fromEntries(FINDINGS.map((finding, index) => [finding, column(index)])) };
}

function pairsOf(skill: number, fold?: number): LocalizationPair[] {
  const parts = patientParts(boxedPatients(data), 0);
  return testRows().flatMap((row) =>
    data.images[row]!.boxes.flatMap(({ finding, box }) => {
      const { name: image, patientId } = data.images[row]!;
      if (fold !== undefined && parts.get(patientId) !== fold) return [];
      // multiples of 2^-10: float16 keeps them
      const map = noiseMap(row, { size: 7, box, lift: skill }).map((value) => Math.round((value / (1 + skill)) * 1024) / 1024);
      return [{ image, patientId, finding, box, map, height: 7, width: 7 }];
    }),
  );
}

/** A run folder with one evaluation, as training and `evaluate` write them. */
function store(name: string, stored: Stored): string {
  const { method = 'baseline', skill, weights = WEIGHTS.b, evaluation = 'tiny', seed = 0, fold } = stored;
  const options: TrainOptions = { ...defaultOptions(method), ...(fold === undefined ? {} : { fold }) };
  const { size, datasetHash, splitHash, preprocessingVersion, synthetic } = data;
  const images = { train: data.rows('train').length, validation: data.rows('validation').length, test: testRows().length };
  const ref = {
    name: 'tiny',
    size,
    datasetHash: stored.datasetHash ?? datasetHash,
    splitHash,
    preprocessingVersion,
    synthetic,
    seed: 0,
    images,
  };
  const now = '2026-01-01T00:00:00.000Z';
  const root = inside(name);
  const into = path.join(root, 'evaluation', evaluation);
  mkdirSync(into, { recursive: true });
  const write = (at: string, value: unknown): void => writeFileSync(at, JSON.stringify(value));
  write(path.join(root, 'run.json'), {
    ...{ format: 1, id: name, name, method, preset: 'small', network: 'truncated-densenet121', inputSize: size, featureShape: [7, 7, 8] },
    ...{ data: ref, parent: null, initialisation: 'he-normal', seed: 0, options, codeVersion: '0', engine: 'none' },
    ...{ state: 'finished', error: null, epochs: [], bestEpoch: null, stepsPerEpoch: 1, weightsSha256: stored.weightsNow ?? weights },
    ...{ createdAt: now, updatedAt: now, finishedAt: now },
  });
  const head = { format: 1, runId: name, weightsSha256: weights, data: ref, seed, resamples: 700, codeVersion: '0', createdAt: now };
  const { images: names, scores } = scoresOf(skill);
  const rowOf = (finding: (typeof FINDINGS)[number], index: number) => {
    const truth = testRows().map((row) => data.labels[row * FINDINGS.length + index]!);
    return [finding, { ...auc(scores[finding]!, truth), bootstrap: null }];
  };
  const findings = Object.fromEntries(FINDINGS.map(rowOf));
  write(path.join(into, 'auc.json'), { ...head, images: names.length, findings, mean: { auc: 0.5, bootstrap: null, findings: 14 } });
  const pairs = pairsOf(skill, fold);
  const own = method === 'supervised' ? patchLocalization(pairs, { seed, resamples: 0 }) : localization(pairs, { seed, resamples: 0 });
  const controls = localizationControls(pairs, { seed, resamples: 0 });
  write(path.join(into, 'localization.json'), { ...head, run: own, controls });
  const patients = boxedPatients(data);
  const ious =
    method === 'supervised'
      ? ({ protocol: { ...PATCHES_PROTOCOL, name: 'patches' }, run: patchIous(pairs), centre: patchIous(pairs) } as const)
      : ({ protocol: { ...PAPER_PROTOCOL, name: 'paper' }, run: pairs.map((pair) => pairIous(pair)), centre: centreIous(pairs) } as const);
  if (!stored.old) writeIous(into, { ...head, patients }, ious);
  mkdirSync(path.join(into, 'maps'), { recursive: true });
  for (const { image, finding, map } of pairs) {
    writeFileSync(path.join(into, 'maps', `${path.parse(image).name}.${finding}.npy`), encodeNpy(map, [7, 7], 'float16'));
  }
  const lines = names.map((image, i) => [image, ...FINDINGS.map((finding) => Number(scores[finding]![i]!.toPrecision(9)))].join(','));
  writeFileSync(path.join(into, 'scores.csv'), `${['Image Index', ...FINDINGS].join(',')}\n${lines.join('\n')}\n`);
  return root;
}

beforeAll(async () => {
  await writePhantom({ folder: inside('phantom'), images: 360, seed: 3, size: 64 });
  file = inside('tiny.cxr');
  await prepare({ folder: inside('phantom'), out: file, size: 32 });
  data = await openPrepared(file);
  store('b', { skill: 0.25 });
  store('r', { skill: 1, method: 'robust', weights: WEIGHTS.r });
});
afterAll(() => {
  data.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('compare', () => {
  it('is the paired comparison of what the evaluations hold, the first run being what the others are compared with', async () => {
    const { code, stdout } = await run(inside('b'), inside('r'), '--data', file, '--json');
    expect(code).toBe(0);
    const rows = testRows();
    const truth = {
      images: rows.map((row) => data.images[row]!.name),
      patientIds: rows.map((row) => data.images[row]!.patientId),
      labels: Object.fromEntries(
        FINDINGS.map((finding) => [finding, rows.map((row) => Number(data.images[row]!.findings.includes(finding)))]),
      ),
    };
    const side = (label: string, method: string, skill: number) => {
      const ious = { protocol: PAPER_PROTOCOL, patients: boxedPatients(data), pairs: pairsOf(skill).map((pair) => pairIous(pair)) };
      return { label, method, ious, scores: scoresOf(skill) };
    };
    const expected = compareRuns({
      a: side('Robust', 'robust', 1),
      b: side('Baseline', 'baseline', 0.25),
      truth,
    });
    const { comparisons, ...head } = JSON.parse(stdout);
    expect(comparisons).toEqual([JSON.parse(JSON.stringify(expected))]);
    expect(comparisons[0].auc.mean.bootstrap.difference).toBeGreaterThan(0.1);
    expect(head).toMatchObject({
      protocol: 'paper',
      seed: 0,
      resamples: 20_000,
      dataSet: { datasetHash: data.datasetHash, synthetic: true },
    });
  });

  it('says per pathology what differs and whether the paper holds, and lists the AUC of every finding with DeLong', async () => {
    const { stdout } = await run(inside('b'), inside('r'), '--data', file);
    expect(stdout).toContain('# Compared on tiny, measured on phantoms');
    expect(stdout).toContain('## Robust over Baseline');
    for (const finding of ['Atelectasis', 'Cardiomegaly', 'Nodule', 'Pneumothorax']) {
      expect(stdout).toMatch(new RegExp(`\\| ${finding} \\| (Robust is|No difference detected).* The paper's finding.*\\.`));
    }
    expect(stdout).toContain('| AUC | difference over patients, adjusted p | by DeLong, adjusted p |');
    const interval = String.raw`-?0\.\d{3} \(-?0\.\d{3} to -?\d\.\d{3}\), p`;
    expect(stdout).toMatch(new RegExp(String.raw`\| Infiltration \| ${interval}.* \| ${interval}.* \|`));
    const turned = await run(inside('r'), inside('b'), '--data', file);
    expect(turned.stdout).toContain('## Baseline over Robust');
    expect(turned.stdout).toMatch(/\| Infiltration \| .* the paper's finding, "lower"/i);
  });

  it('says the same whatever the seeds of the evaluations, and beside a third run', async () => {
    store('seeded', { skill: 1, method: 'robust', weights: WEIGHTS.r, seed: 7 });
    const of = async (...runs: string[]) => JSON.parse((await run(...runs.map((name) => inside(name)), '--json')).stdout).comparisons;
    const [robust] = await of('b', 'r');
    expect((await of('b', 'seeded'))[0].localization).toEqual(robust.localization);
    store('third', { skill: 0.5, method: 'robust' });
    const [first, second] = await of('b', 'r', 'third');
    expect(first.localization.map(({ mean }: { mean: unknown }) => mean)).toEqual(
      robust.localization.map(({ mean }: { mean: unknown }) => mean),
    );
    expect(second.localization[0].mean.difference).not.toBe(first.localization[0].mean.difference);
  });

  it('makes the IoUs of an earlier version from its maps and the boxes of the prepared file, else asks to evaluate again', async () => {
    store('old', { skill: 1, method: 'robust', weights: WEIGHTS.r, old: true });
    const localizationOf = (stdout: string) => JSON.parse(stdout).comparisons[0].localization;
    const expected = localizationOf((await run(inside('b'), inside('r'), '--data', file, '--json')).stdout);
    expect(localizationOf((await run(inside('b'), inside('old'), '--data', file, '--json')).stdout)).toEqual(expected);
    const without = await run(inside('b'), inside('old'));
    expect(without.code).toBe(0);
    expect(without.stdout).toMatch(
      /Its localisation is not compared: .*old was evaluated by an earlier version, which kept no IoUs\. Name the prepared file with --data FILE, or evaluate the run again/,
    );
    const maps = inside('old', 'evaluation', 'tiny', 'maps');
    const [map] = readdirSync(maps);
    writeFileSync(
      path.join(maps, map!),
      encodeNpy(
        Float32Array.from({ length: 49 }, (_, cell) => cell),
        [7, 7],
        'float16',
      ),
    );
    const other = await run(inside('b'), inside('old'), '--data', file);
    expect(other.stdout).toMatch(/and the maps in .*tiny are not all there as it scored them; evaluate the run again: cxr-lens evaluate /);
    rmSync(path.join(maps, map!));
    expect((await run(inside('b'), inside('old'), '--data', file)).stdout).toContain('are not all there as it scored them');
  });

  it('names both protocols, and takes five folds of Supervised as one challenger', async () => {
    const folds = [0, 1, 2, 3, 4].map((fold) =>
      store(`s${fold}`, { skill: 1, method: 'supervised', fold, weights: String(fold).repeat(64) }),
    );
    const one = await run(inside('b'), folds[0]!);
    expect(one.stdout).toContain('## Supervised over Baseline');
    expect(one.stdout).toContain('Two protocols: Supervised is measured by protocol patches, Baseline by protocol paper.');
    const { comparisons, protocol } = JSON.parse((await run(inside('b'), ...folds, '--json')).stdout);
    expect(protocol).toBe('paper, patches');
    expect(comparisons.map(({ a, b }: { a: string; b: string }) => [a, b])).toEqual([['Supervised, five networks', 'Baseline']]);
    const all = pairsOf(1).filter(({ finding }) => finding === 'Atelectasis').length;
    expect(comparisons[0].localization[0].pairs).toBe(all);
    expect((await run(inside('b'), ...folds, '--data', file)).stdout).toContain(
      'AUC of Supervised, five networks: that of its first run alone, s0.',
    );
    const alone = await run(...folds);
    expect([alone.code, alone.stderr]).toEqual([
      2,
      expect.stringMatching(/^BAD_INPUT: The runs are one challenger, Supervised, five networks;/),
    ]);
  });

  it('compares localisation alone without the prepared file, and says what is missing', async () => {
    for (const args of [[], ['--data', 'tiny']]) {
      const { code, stdout } = await run(inside('b'), inside('r'), ...args);
      expect(code).toBe(0);
      expect(stdout).toContain('| Cardiomegaly | ');
      expect(stdout).not.toContain('DeLong');
      expect(stdout).toContain('AUCs are not compared: their labels are in the prepared file. Name it with --data FILE.');
    }
  });

  it('takes the evaluation of the present weights where an older one of the same data lies beside it', async () => {
    store('twice', { skill: 0.25, evaluation: 'before', weights: 'd'.repeat(64) });
    store('twice', { skill: 0.25 });
    const { code, stdout } = await run(inside('twice'), inside('r'), '--data', file);
    expect(code).toBe(0);
    expect(stdout).toContain('## Robust over Baseline');
  });

  it('loads neither TensorFlow nor Prisma', () => {
    const loaded = inside('loaded.txt');
    const hook = `
      import { appendFileSync } from 'node:fs';
      import { registerHooks } from 'node:module';
      registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(loaded)}, url + '\\n'); return next(url, context); } });`;
    const bin = path.resolve(import.meta.dirname, '../../bin/cxr-lens.mjs');
    const args = [`--import=data:text/javascript,${encodeURIComponent(hook)}`, bin, 'compare', inside('b'), inside('r'), '--data', file];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => !/^Resampling the AUCs of (Baseline|Robust): \d+\/20000 /.test(line)),
    ).toEqual([]);
    const modules = readFileSync(loaded, 'utf8').split('\n');
    expect(modules.some((url) => url.includes('packages/eval/src/compare/compare.ts'))).toBe(true);
    expect(modules.filter((url) => /tensorflow|prisma|pg-boss/.test(url))).toEqual([]);
  });
});

describe('wrong input is answered in one sentence, with exit code 2', () => {
  beforeAll(() => {
    mkdirSync(inside('empty'));
    store('unevaluated', { skill: 1 });
    rmSync(inside('unevaluated', 'evaluation'), { recursive: true });
    store('other-data', { skill: 1, evaluation: 'other', datasetHash: 'f'.repeat(64) });
    store('same-name', { skill: 1, datasetHash: 'f'.repeat(64) });
    store('other-weights', { skill: 1 });
    const index = inside('other-weights', 'evaluation', 'tiny', 'ious.json');
    writeFileSync(index, readFileSync(index, 'utf8').replace(WEIGHTS.b, WEIGHTS.r));
    store('cut-ious', { skill: 1 });
    writeFileSync(inside('cut-ious', 'evaluation', 'tiny', 'ious.npy'), '');
    store('retrained', { skill: 1, weightsNow: 'd'.repeat(64) });
    for (const name of ['two', 'two-more']) {
      store(name, { skill: 1 });
      store(name, { skill: 1, evaluation: 'other', datasetHash: 'f'.repeat(64) });
    }
    for (const [name, cell] of [
      ['damaged', 'none'],
      ['blank', ''],
    ] as const) {
      store(name, { skill: 1 });
      const scores = inside(name, 'evaluation', 'tiny', 'scores.csv');
      writeFileSync(scores, readFileSync(scores, 'utf8').replace(/,[\d.]+\n$/, `,${cell}\n`));
    }
    store('cut-off', { skill: 1 });
    writeFileSync(inside('cut-off', 'evaluation', 'tiny', 'auc.json'), '{"format": 1,');
  });

  it.each<[string, () => string[], RegExp]>([
    ['no run', () => [], /missing required argument 'run'/],
    ['one run', () => [inside('b')], /^BAD_INPUT: .*b alone: expected two run folders or more/],
    ['a run named twice', () => [inside('b'), `${inside('r')}/../b`], /^BAD_INPUT: .* is named twice/],
    ['a folder that is not there', () => [inside('b'), inside('none')], /^NOT_FOUND: .*none is no run folder: it has no run\.json/],
    ['a folder that is no run', () => [inside('empty'), inside('b')], /^NOT_FOUND: .*empty is no run folder/],
    [
      'a run without an evaluation',
      () => [inside('b'), inside('unevaluated')],
      /^NOT_FOUND: .*unevaluated has no finished evaluation\. Run /,
    ],
    [
      'evaluations of different data',
      () => [inside('b'), inside('other-data')],
      /^BAD_INPUT: The runs were evaluated on different data: .*b on tiny \(\w{8}\); .*other-data on other \(f{8}\)\. Run /,
    ],
    [
      'different data under one name',
      () => [inside('b'), inside('same-name'), '--data', 'tiny'],
      /^BAD_INPUT: .*b was evaluated on tiny \(\w{8}\), .*same-name on tiny \(f{8}\): other data\./,
    ],
    [
      'the file of other data',
      () => [inside('other-data'), inside('b'), '--data', file],
      /^NOT_FOUND: .*other-data was not evaluated on .*tiny\.cxr; /,
    ],
    [
      'an unknown evaluation',
      () => [inside('b'), inside('r'), '--data', 'big'],
      /^NOT_FOUND: .*b was not evaluated on big; its evaluations: tiny\./,
    ],
    [
      'a prepared file that is not there',
      () => [inside('b'), inside('r'), '--data', inside('no.cxr')],
      /^NOT_FOUND: There is no prepared data set/,
    ],
    ['a file that is no prepared one', () => [inside('b'), inside('r'), '--data', inside('b', 'run.json')], /^BAD_INPUT: .*run\.json/],
    [
      'two evaluations to choose from',
      () => [inside('two'), inside('two-more')],
      /^BAD_INPUT: The runs share the evaluations other, tiny; choose one/,
    ],
    [
      'IoUs of other weights than the AUCs',
      () => [inside('b'), inside('other-weights')],
      /^CORRUPT: .*tiny: ious\.json is not of the same weights and data as auc\.json\. A later evaluation was interrupted\./,
    ],
    [
      'IoUs that were cut off',
      () => [inside('b'), inside('cut-ious')],
      /^CORRUPT: .*ious\.npy is not the file that ious\.json describes: its hash differs; evaluate the run again\./,
    ],
    [
      'weights changed after the evaluation',
      () => [inside('b'), inside('retrained')],
      /^BAD_INPUT: .*retrained was trained again after its evaluation tiny\./,
    ],
    [
      'scores that are no number',
      () => [inside('b'), inside('damaged'), '--data', file],
      /^BAD_INPUT: .*scores\.csv line \d+: the score for Hernia is "(none)?"; expected a finite decimal number\. Correct it, .*\.$/m,
    ],
    [
      'a score left out',
      () => [inside('b'), inside('blank'), '--data', file],
      /^BAD_INPUT: .*scores\.csv line \d+: the score for Hernia is "(none)?"; expected a finite decimal number\. Correct it, .*\.$/m,
    ],
    ['a damaged evaluation', () => [inside('b'), inside('cut-off')], /^CORRUPT: .*auc\.json is no JSON/],
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await run(...args());
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)]);
    expect(stderr.trim()).not.toContain('\n');
  });
});
