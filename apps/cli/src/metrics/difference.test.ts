import { describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';
import { csv, expected, expectReference, measure, nihLabels, plain, refusal, rows, write } from './tests/scores-case.ts';

describe('--against', () => {
  const labels = () => write('labels.csv', csv(nihLabels));
  const a = () => write('a.csv', csv(plain));
  const cellsB = [['image', 'effusion', 'cardiomegaly'], ...rows.map((row) => [row.image, row.b.Effusion, row.b.Cardiomegaly])];
  const b = () => write('b.csv', csv([cellsB[0]!, ...cellsB.slice(1).reverse()], '\t'));

  it('gives the paired difference over images by DeLong, whatever the order of rows and columns', async () => {
    const { result } = await measure(a(), labels(), '--against', b());
    expectReference(result);
    const { method, findings, mean } = result.difference;
    expect(method).toBe('paired DeLong over images');
    for (const [finding, { aucA, aucB, difference, variance }] of Object.entries(expected)) {
      const row = findings[finding];
      expect(row.aucA).toBeCloseTo(aucA, 12);
      expect(row.aucB).toBeCloseTo(aucB, 12);
      expect(row.difference).toBeCloseTo(difference, 12);
      expect(row.ci[0]).toBeCloseTo(difference - 1.959963984540054 * Math.sqrt(variance), 9);
      expect(row.ci[1]).toBeCloseTo(difference + 1.959963984540054 * Math.sqrt(variance), 9);
      expect(row.adjustedP).toBeGreaterThanOrEqual(row.p);
    }
    expect(mean.difference).toBeCloseTo((expected.Cardiomegaly.difference + expected.Effusion.difference) / 2, 12);
    expect(mean.ci).toBeNull();
  });

  it('gives it over patients with --patients, and exactly nothing for a file against itself', async () => {
    const { result } = await measure(a(), labels(), '--against', b(), '--patients', 'Patient ID');
    const { method, findings, mean } = result.difference;
    expect(method).toBe('paired bootstrap over patients');
    const [low, high] = findings.Effusion.ci;
    expect(low).toBeLessThan(expected.Effusion.difference);
    expect(high).toBeGreaterThan(expected.Effusion.difference);
    expect(mean.ci).toHaveLength(2);
    const self = await measure(a(), labels(), '--against', a(), '--patients', 'Patient ID');
    expect(self.result.difference.findings.Effusion).toMatchObject({ difference: 0, ci: [0, 0], p: 1 });
    const { stdout } = await runCli('metrics', 'auc', '--scores', a(), '--labels', labels(), '--against', b());
    expect(stdout).toContain(`AUC of ${a()} minus AUC of ${b()}, paired DeLong over images`);
    expect(stdout).toMatch(/Effusion +\+0\.1601/);
  });

  it('is refused for other images, naming the first', async () => {
    const less = write('less.csv', csv(cellsB.filter((_, i) => i !== 3)));
    expect(await refusal(a(), labels(), '--against', less)).toMatch(
      /less\.csv has no scores for 00000003_000\.png\. Line 4 of .*a\.csv scores it/,
    );
    const more = write('more.csv', csv([...cellsB, ['00000077_000', 1, 2]]));
    expect(await refusal(a(), labels(), '--against', more)).toMatch(/more\.csv line 62: .*a\.csv has no scores for 00000077_000/);
    const other = write('other.csv', csv([['image', 'Hernia'], ...rows.map((row) => [row.image, 1])]));
    expect(await refusal(a(), labels(), '--against', other)).toMatch(/score no labelled finding in common/);
  });
});
