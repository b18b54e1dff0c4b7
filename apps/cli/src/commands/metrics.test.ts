import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FINDINGS, writeNpy } from '@cxr-lens/data';
import { aucReference, localizationReference, referencePairs, scoreCase } from '@cxr-lens/eval/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-metrics-'));
const file = (name: string, lines: readonly string[]): string => {
  const full = path.join(folder, name);
  writeFileSync(full, `${lines.join('\n')}\n`);
  return full;
};
const nameOf = (i: number): string => `${String(i).padStart(8, '0')}_000.png`;

const run = (...args: string[]): ReturnType<typeof runCli> => runCli('metrics', ...args);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('metrics auc', () => {
  let scores = '';
  let labels = '';
  const cases = aucReference.table.map((input) => scoreCase(input));

  beforeAll(() => {
    const rows = Array.from({ length: 20_000 }, (_, i) => [nameOf(i), ...cases.map((one) => one.scores[i])].join(','));
    const header = FINDINGS.map((finding) => (finding === 'Infiltration' ? 'Infiltrate' : finding.toLowerCase().replace('_', ' ')));
    scores = file('scores.csv', [['image', ...header].join(','), ...rows]);
    const labelOf = (i: number) => FINDINGS.filter((_, j) => cases[j]!.labels[i] === 1).join('|') || 'No Finding';
    const listed = Array.from({ length: 20_000 }, (_, i) => `${nameOf(i)},${labelOf(i)},${i}`).reverse();
    labels = file('labels.csv', ['Image Index,Finding Labels,Follow-up #', 'other_000.png,Hernia,1', ...listed]);
  });

  it('agrees to 1e-9 with scikit-learn and a direct DeLong on 20,000 x 14 scores, loading neither TensorFlow nor Prisma', () => {
    const loaded = path.join(folder, 'loaded.txt');
    const hook = `
      import { appendFileSync } from 'node:fs';
      import { registerHooks } from 'node:module';
      registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(loaded)}, url + '\\n'); return next(url, context); } });`;
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [
        `--import=data:text/javascript,${encodeURIComponent(hook)}`,
        path.resolve(import.meta.dirname, '../../bin/cxr-lens.mjs'),
        ...['metrics', 'auc', '--scores', scores, '--labels', labels, '--json'],
      ],
      { encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([0, `1 image of ${labels} without scores left out\n`]);
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual(['findings', 'mean', 'images', 'patients', 'leftOut', 'matchedByBaseName']);
    expect(Object.keys(result.findings)).toEqual([...FINDINGS]);
    for (const [j, expected] of aucReference.table.entries()) {
      const row = result.findings[FINDINGS[j]!];
      expect(Object.keys(row)).toEqual(['auc', 'variance', 'ci', 'positives', 'negatives']);
      expect(Math.abs(row.auc - expected.auc)).toBeLessThan(1e-9);
      expect(Math.abs(row.variance - expected.variance)).toBeLessThan(1e-9);
      expect([row.positives, row.negatives]).toEqual([expected.positives, 20_000 - expected.positives]);
    }
    expect(result.mean).toBeCloseTo(aucReference.table.reduce((total, row) => total + row.auc, 0) / 14, 9);
    const modules = readFileSync(loaded, 'utf8').split('\n');
    expect(modules.some((url) => url.includes('packages/eval/src/auc/auc.ts'))).toBe(true);
    expect(modules.filter((url) => /tensorflow|prisma|pg-boss|packages\/model\//.test(url))).toEqual([]);
  });

  it('is null with the reason where a class is absent, and leaves findings without a column out', async () => {
    const own = file('two.csv', ['Image Index,Hernia,Mass,No Finding', '00000000_000.png,0.5,0.1,1', '', '00000001_000.png,0.25,0.2,0']);
    const known = file('two-labels.csv', ['Image Index,Finding Labels', '00000000_000.png,No Finding', '00000001_000.png,Mass|Edema']);
    const { code, stdout } = await run('auc', '--scores', own, '--labels', known, '--json');
    expect(code).toBe(0);
    const { findings, mean } = JSON.parse(stdout);
    expect(Object.keys(findings)).toEqual(['Mass', 'Hernia']);
    expect(findings.Hernia).toEqual({ auc: null, variance: null, ci: null, positives: 0, negatives: 2, reason: 'no positive image' });
    expect([findings.Mass.auc, mean]).toEqual([1, 1]);
    const text = await run('auc', '--scores', own, '--labels', known);
    expect(text.stdout).toContain('no positive image');
    expect(findings.Mass).toEqual({ auc: 1, variance: null, ci: null, positives: 1, negatives: 1, reason: 'few cases' });
    expect(text.stdout).toMatch(/^Mass +1\.0000 {2}few cases +1 +1$/m);
  });

  const good = ['image,Mass', '00000000_000.png,0.5', '00000001_000.png,0.6'];
  const goodLabels = ['Image Index,Finding Labels', '00000000_000.png,Mass', '00000001_000.png,No Finding'];
  it.each<[string, string[], string[], string]>([
    [
      'no image column',
      ['name,Mass', 'a.png,1'],
      goodLabels,
      'there is neither a column "Image Index" nor "image"; the header is "name,Mass"',
    ],
    ['an unknown finding', ['image,Mas', 'a.png,1'], goodLabels, 'no column of a finding; the header is "image,Mas"'],
    ['no finding at all', ['image', 'a.png'], goodLabels, 'no column of a finding'],
    ['a finding twice', ['image,Mass,mass', 'a.png,1,2'], goodLabels, 'two columns for Mass'],
    [
      'a score that is no number',
      [...good, '00000002_000.png,high'],
      goodLabels,
      'line 4: the score for Mass is "high"; expected a finite decimal number',
    ],
    ['NaN', [...good, '00000002_000.png,nan'], goodLabels, 'line 4: the score for Mass is "nan"'],
    ['a missing cell', [...good, '00000002_000.png'], goodLabels, 'line 4: the score for Mass is ""'],
    ['an image twice', [...good, good[1]!], goodLabels, 'line 4: 00000000_000.png is listed twice'],
    ['an empty file', [], goodLabels, 'neither a column'],
    ['no rows', ['image,Mass'], goodLabels, 'has no row of scores'],
    ['an image without a label', [...good, 'x.png,1', 'y.png,1'], goodLabels, 'line 4: '],
    ['labels without a column', good, ['Image Index,Findings', 'a.png,Mass'], 'the column "Finding Labels" is missing'],
    ['an unknown label', good, [goodLabels[0]!, '00000000_000.png,Mass|Cough', goodLabels[2]!], 'line 2: Unknown finding "Cough"'],
    ['an empty label', good, [goodLabels[0]!, '00000000_000.png,', goodLabels[2]!], 'line 2: the "Finding Labels" are empty'],
  ])('answers %s with a sentence and exit code 2', async (_, scoreLines, labelLines, sentence) => {
    const { code, stdout, stderr } = await run(
      'auc',
      '--scores',
      file('s.csv', scoreLines),
      '--labels',
      file('l.csv', labelLines),
      '--json',
    );
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('    at ');
  });

  it('answers a file that is not there, a folder for a file and a missing option', async () => {
    const absent = await run('auc', '--scores', path.join(folder, 'absent.csv'), '--labels', labels);
    expect([absent.code, absent.stderr]).toEqual([2, expect.stringContaining('absent.csv does not exist')]);
    const wrong = await run('auc', '--scores', scores, '--labels', folder);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('cannot be read: EISDIR')]);
    const option = await run('auc', '--scores', scores);
    expect([option.code, option.stderr]).toEqual([2, expect.stringContaining("required option '--labels <csv>' not specified")]);
  });
});

describe('metrics localization', () => {
  const pairs = referencePairs(localizationReference.seed);
  const maps = path.join(folder, 'maps');
  let boxes = '';
  const boxLine = ({ image, finding, box }: (typeof pairs)[number]) =>
    [image, finding === 'Infiltration' ? 'Infiltrate' : finding, box.x, box.y, box.width, box.height].join(',');
  const HEADER = 'Image Index,Finding Label,Bbox [x,y,w,h],,,';

  beforeAll(async () => {
    mkdirSync(maps);
    boxes = file('boxes.csv', [HEADER, ...pairs.map(boxLine)]);
    for (const { image, finding, map, height, width } of pairs) {
      await writeNpy(path.join(maps, `${image.replace('.png', '')}.${finding}.npy`), map, [height, width]);
    }
  });

  it('agrees with the direct computation in Python', async () => {
    const { code, stdout, stderr } = await run(
      'localization',
      '--maps',
      maps,
      '--boxes',
      boxes,
      '--seed',
      String(localizationReference.foldSeed),
      '--json',
    );
    expect([code, stderr]).toEqual([0, '']);
    const { protocol, findings } = JSON.parse(stdout);
    expect(protocol.name).toBe('paper');
    expect(Object.keys(findings)).toEqual(Object.keys(localizationReference.findings));
    for (const [finding, expected] of Object.entries(localizationReference.findings)) {
      const row = findings[finding];
      expect(Object.keys(row).slice(0, 4)).toEqual(['n', 'meanIou', 'threshold', 'accuracy']);
      expect(Object.keys(row.accuracy)).toEqual(['0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '0.7']);
      expect(row.n).toBe(expected.pairs);
      const accuracy = Object.values(row.accuracy);
      if (expected.accuracy === null) expect(accuracy).toEqual(Array(7).fill(null));
      else for (const [t, value] of accuracy.entries()) expect(value).toBeCloseTo(expected.accuracy[t]!, 9);
    }
  });

  it('takes one fixed threshold without folds, and prints a table for people', async () => {
    const fixed = await run('localization', '--maps', maps, '--boxes', boxes, '--threshold', '150', '--json');
    const { protocol, findings } = JSON.parse(fixed.stdout);
    expect([protocol.name, findings.Atelectasis.threshold]).toEqual(['fixed-150', 150]);
    expect((findings.Atelectasis.accuracy['0.1'] * findings.Atelectasis.n) % 1).toBeCloseTo(0, 9);
    const text = await run('localization', '--maps', maps, '--boxes', boxes);
    expect(text.stdout).toContain('protocol paper');
  });

  it('counts boxes without a map and maps without a box on stderr', async () => {
    const own = path.join(folder, 'few');
    mkdirSync(own);
    const { image, map, height, width } = pairs[0]!;
    await writeNpy(path.join(own, `${image.replace('.png', '')}.Atelectasis.npy`), map, [height, width]);
    await writeNpy(path.join(own, 'elsewhere.Mass.npy'), map, [height, width]);
    const { code, stdout, stderr } = await run('localization', '--maps', own, '--boxes', boxes, '--json');
    expect(code).toBe(0);
    expect(stderr).toContain(`${pairs.length - 1} boxes without a map left out, the first: ${pairs[1]!.image} ${pairs[1]!.finding}`);
    expect(stderr).toContain('1 map without a box left out');
    expect(JSON.parse(stdout).counts).toEqual({
      pairs: 1,
      boxesWithoutMap: pairs.length - 1,
      mapsWithoutBox: 1,
      mapsOfFindingsWithoutBoxes: 0,
    });
    expect(JSON.parse(stdout).findings.Atelectasis).toMatchObject({ n: 1, meanIou: null, reason: 'under two usable folds' });
  });

  const one = { name: '00000001_000.Mass.npy', values: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
  const line = '00000001_000.png,Mass,10,10,100,100';
  it.each<[string, { name: string; values: Float32Array; shape: number[] } | null, string[], string]>([
    ['no map at all', null, [HEADER, line], 'holds no .npy file'],
    [
      'a map without a finding in its name',
      { ...one, name: '00000001_000.npy' },
      [HEADER, line],
      'expected a name like 00000001_000.Mass.npy',
    ],
    [
      'maps of unknown findings alone',
      { ...one, name: '00000001_000.Mas.npy' },
      [HEADER, line],
      'expected files like 00000001_000.Mass.npy',
    ],
    ['maps of a finding without boxes alone', { ...one, name: '00000001_000.Hernia.npy' }, [HEADER, line], 'expected files like'],
    ['maps of other images', { ...one, name: '00000002_000.Mass.npy' }, [HEADER, line], 'expected files like 00000001_000.Mass.npy'],
    ['a map of three dimensions', { ...one, shape: [1, 2, 2] }, [HEADER, line], 'has the shape [1, 2, 2]: expected [height, width]'],
    [
      'a map with NaN',
      { ...one, values: Float32Array.of(1, 2, Number.NaN, 4) },
      [HEADER, line],
      'Mass map of 00000001_000.png: map value 2 is NaN',
    ],
    ['a box outside its image', one, [HEADER, '00000001_000.png,Mass,1000,10,100,100'], 'lies outside its image'],
    ['a box of an unknown finding', one, [HEADER, '00000001_000.png,Cough,10,10,10,10'], 'a box for "Cough"'],
    [
      'a box list without a column',
      one,
      ['Image Index,Bbox [x,y,w,h],,,', '00000001_000.png,1,2,3,4'],
      'the column "Finding Label" is missing',
    ],
  ])('answers %s with a sentence and exit code 2', async (title, map, boxLines, sentence) => {
    const own = path.join(folder, title);
    mkdirSync(own);
    if (map) await writeNpy(path.join(own, map.name), map.values, map.shape);
    const { code, stdout, stderr } = await run('localization', '--maps', own, '--boxes', file('b.csv', boxLines), '--json');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('    at ');
  });

  it.each(['256', '-1', '1.5', 'x'])('refuses the threshold %s', async (threshold) => {
    const { code, stderr } = await run('localization', '--maps', maps, '--boxes', boxes, `--threshold=${threshold}`);
    expect(code).toBe(2);
    expect(stderr).toContain('--threshold');
  });

  it('answers a folder that is not there and a broken .npy', async () => {
    const absent = await run('localization', '--maps', path.join(folder, 'nowhere'), '--boxes', boxes);
    expect([absent.code, absent.stderr]).toEqual([2, expect.stringContaining('nowhere does not exist')]);
    const own = path.join(folder, 'broken');
    mkdirSync(own);
    writeFileSync(path.join(own, '00000001_000.Mass.npy'), '<html>');
    const broken = await run('localization', '--maps', own, '--boxes', file('b2.csv', [HEADER, line]));
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('00000001_000.Mass.npy')]);
  });
});
