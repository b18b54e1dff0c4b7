import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeNpy, FINDINGS, type PreparedData } from '@cxr-lens/data';
import { compareRuns, PAPER_PROTOCOL, pairIous } from '@cxr-lens/eval';
import { boxedPatients } from '@cxr-lens/model/ious';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeData, madePairs, madeScores, type Stored, store as storeRun, WEIGHTS } from '../compare/testing.ts';
import { runCli } from '../testing.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-compare-'));
const inside = (...names: string[]): string => path.join(folder, ...names);
const file = inside('tiny.cxr');
let data: PreparedData;

const run = (...args: string[]): ReturnType<typeof runCli> => runCli('compare', ...args);
const store = (name: string, stored: Stored): string => storeRun(data, inside(name), stored);

beforeAll(async () => {
  data = await madeData(folder, 360);
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
    const rows = data.rows('test');
    const truth = {
      images: rows.map((row) => data.images[row]!.name),
      patientIds: rows.map((row) => data.images[row]!.patientId),
      labels: Object.fromEntries(
        FINDINGS.map((finding) => [finding, rows.map((row) => Number(data.images[row]!.findings.includes(finding)))]),
      ),
    };
    const side = (label: string, method: string, skill: number) => {
      const ious = { protocol: PAPER_PROTOCOL, patients: boxedPatients(data), pairs: madePairs(data, skill).map((pair) => pairIous(pair)) };
      return { label, method, ious, scores: madeScores(data, skill) };
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
    expect(stdout).toMatch(new RegExp(String.raw`\| Infiltration \| (higher: |lower: )?${interval}.* \| ${interval}.* \|`));
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
    const all = madePairs(data, 1).filter(({ finding }) => finding === 'Atelectasis').length;
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
