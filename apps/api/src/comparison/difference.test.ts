import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cxrHome, random } from '@cxr-lens/data';
import {
  centreIous,
  type LocalizationPair,
  type LocalizationResult,
  localization,
  nihLocalization,
  PAPER_PROTOCOL,
  pairIous,
} from '@cxr-lens/eval';
import { writeIous } from '@cxr-lens/model/ious';
import type { LocalizationFile } from '@cxr-lens/model/spec';
import type { DataSet, Run } from '@cxr-lens/prisma';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDataSet, makeEvaluation, makeRun, startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
let dataSet: DataSet;

beforeAll(async () => {
  api = await startTestApi();
  dataSet = await makeDataSet(api.prisma);
});
afterAll(() => api.stop());

/** 40 pairs of Cardiomegaly: the box is the middle of the image; the map is hot there, or somewhere by chance. */
function pairs(finds: boolean): LocalizationPair[] {
  const rng = random(`maps ${finds}`);
  return Array.from({ length: 40 }, (_, at) => {
    const map = Float32Array.from({ length: 64 }, () => rng.next());
    if (finds) for (const cell of [27, 28, 35, 36]) map[cell] = 10;
    const box = { x: 384, y: 384, width: 256, height: 256 };
    return { image: `${at}.png`, patientId: String(at), finding: 'Cardiomegaly', box, map, height: 8, width: 8 };
  });
}

/** A run with what `evaluate` writes of its localisation, 0.1.0's without IoUs, and the row that says so. */
async function evaluatedRun(
  method: 'baseline' | 'robust' | 'nih',
  { finds, seed = 0, old = false }: { finds: boolean; seed?: number; old?: boolean },
): Promise<Run> {
  const folder = path.join(cxrHome(), 'runs', `${method}-${finds}-${seed}${old ? '-old' : ''}`);
  const run = await makeRun(api.prisma, method, { path: folder, createdAt: new Date(method === 'baseline' ? '2026-01-01' : '2026-01-02') });
  const measured = (result: LocalizationResult): LocalizationFile['others'][number] => {
    const run = JSON.parse(JSON.stringify(result)) as LocalizationFile['run'];
    return { run, controls: { random: run, centre: run, bestReachable: run } };
  };
  const others = method === 'nih' ? [measured(nihLocalization(pairs(finds), { seed, resamples: 50 }))] : [];
  const file: LocalizationFile = {
    format: 1,
    runId: run.id,
    weightsSha256: run.weightsSha256!,
    data: { ...dataSet, bits: null, seed: 0, images: { train: 80, validation: 9, test: 11 } },
    seed,
    resamples: 50,
    codeVersion: 'test',
    createdAt: new Date().toISOString(),
    excludedPatients: 0,
    ...measured(localization(pairs(finds), { seed, resamples: 50 })),
    others,
  };
  mkdirSync(path.join(folder, 'evaluation/phantom-96'), { recursive: true });
  writeFileSync(path.join(folder, 'evaluation/phantom-96/localization.json'), JSON.stringify(file));
  if (!old) {
    const [made, patients] = [pairs(finds), pairs(finds).map(({ patientId }) => patientId)];
    const ious = {
      protocol: { ...PAPER_PROTOCOL, name: 'paper' as const },
      run: made.map((pair) => pairIous(pair)),
      centre: centreIous(made),
    };
    writeIous(path.join(folder, 'evaluation/phantom-96'), { ...file, patients }, ious);
  }
  // A file that was cut off beside it must not fail the comparison.
  mkdirSync(path.join(folder, 'evaluation/broken'));
  writeFileSync(path.join(folder, 'evaluation/broken/localization.json'), '{');
  await makeEvaluation(api.prisma, run, { dataSet });
  for (const { run: other } of others) await makeEvaluation(api.prisma, run, { dataSet, protocol: other.protocol });
  return run;
}

interface Compared {
  comparison: { statement: string; differences: { value: number; low: number | null }[] };
}

const ask = async (runs: readonly Run[], protocol?: string) => {
  const query = `query ($runs: [ID!], $protocol: String) { comparison(finding: Cardiomegaly, runs: $runs, protocol: $protocol) { statement
    differences { run { id } over { id } value low high pairs paired verdict statement iouThreshold } } }`;
  const { data, errors } = await api.ask<Compared>(query, { runs: runs.map(({ id }) => id), protocol });
  expect(errors).toBeUndefined();
  return data.comparison;
};

it('says in words which run locates a finding better, with the interval of the paired difference', async () => {
  const baseline = await evaluatedRun('baseline', { finds: false });
  const robust = await evaluatedRun('robust', { finds: true });
  const { differences, statement } = await ask([baseline, robust]);
  expect(differences).toMatchObject([
    { run: { id: robust.id }, over: { id: baseline.id }, pairs: 40, paired: true, verdict: 'HIGHER', iouThreshold: 0.3 },
  ]);
  expect(differences[0]!.low).toBeGreaterThan(0);
  expect(differences[0]!.value).toBeGreaterThan(0.5);
  expect(statement).toMatch(
    /^Robust is higher than Baseline by [01]\.\d\d \([01]\.\d\d to [01]\.\d\d\) for Cardiomegaly, mean over T \(adjusted p < 0\.001\)\. AUC/,
  );
  const turned = await ask([robust, baseline]);
  expect(turned.differences).toMatchObject([{ run: { id: baseline.id }, verdict: 'LOWER' }]);
  expect(turned.differences[0]!.value).toBeCloseTo(-differences[0]!.value, 12);
  expect(await ask([baseline, robust])).toEqual({ differences, statement });

  // The seed of an evaluation draws the folds of its curve; it changes no verdict.
  const other = await evaluatedRun('robust', { finds: true, seed: 1 });
  const { differences: same } = await ask([baseline, other]);
  expect(same).toEqual([{ ...differences[0]!, run: { id: other.id } }]);

  // Two runs of one method go by their own names.
  const named = await ask([robust, other]);
  expect(named.statement).toContain(`Robust (${robust.name})`);
});

it('has the difference of the curves, and no verdict, of evaluations of 0.1.0; with other folds nothing', async () => {
  const [baseline, robust] = [
    await evaluatedRun('baseline', { finds: false, old: true }),
    await evaluatedRun('robust', { finds: true, old: true }),
  ];
  const { differences, statement } = await ask([baseline, robust]);
  expect(differences).toMatchObject([{ paired: true, pairs: 40, verdict: 'UNDECIDED' }]);
  expect(differences[0]!.low).toBeGreaterThan(0);
  expect(statement).toContain(
    'No verdict for Cardiomegaly: an evaluation holds no IoUs of its pairs, as one of 0.1.0; evaluate the runs again',
  );

  const unpaired = await ask([baseline, await evaluatedRun('robust', { finds: true, seed: 1, old: true })]);
  expect(unpaired.differences).toMatchObject([{ paired: false, verdict: 'UNDECIDED', low: null, high: null }]);
  expect(unpaired.statement).toContain('No difference can be told for Cardiomegaly: the two runs were not scored on the same pairs.');
});

it('pairs runs by whichever protocol both were measured by, on the curves of that one', async () => {
  const runs = [await evaluatedRun('nih', { finds: false, seed: 2 }), await evaluatedRun('nih', { finds: true, seed: 2 })];
  const [paper, nih] = [await ask(runs), await ask(runs, 'nih')];
  expect(paper.differences).toMatchObject([{ paired: true, pairs: 40, verdict: 'HIGHER' }]);
  expect(nih.differences).toMatchObject([{ paired: true, pairs: 40, verdict: 'UNDECIDED' }]);
  expect(nih.statement).toContain('No verdict for Cardiomegaly: by protocol nih there is none.');
  expect(nih.differences[0]!.value).not.toBe(paper.differences[0]!.value);
});
