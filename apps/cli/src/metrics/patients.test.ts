import { describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';
import { csv, expected, expectReference, meanBootstrap, measure, nihLabels, plain, refusal, rows, write } from './tests/scores-case.ts';

describe('--patients', () => {
  const scores = () => write('scores.csv', csv(plain));
  const labels = () => write('labels.csv', csv(nihLabels));
  const own = () =>
    write(
      'patients.csv',
      csv(
        [['path', 'patient'], ...rows.map((row) => [`x/${row.image}.dcm`, row.patient])].reverse().sort((a) => (a[0] === 'path' ? -1 : 1)),
        ';',
      ),
    );

  it.each([
    ['a column of the labels', () => 'patient_id'],
    ['a file', own],
  ])('gives intervals over patients from %s, as Python computes them from repeated images', async (_, option) => {
    const { result } = await measure(scores(), labels(), '--patients', option());
    expectReference(result);
    expect(result.patients).toBe(20);
    for (const [finding, { bootstrap }] of Object.entries(expected)) {
      for (const side of [0, 1]) expect(result.findings[finding].bootstrap[side]).toBeCloseTo(bootstrap[side]!, 12);
    }
    for (const side of [0, 1]) expect(result.meanBootstrap[side]).toBeCloseTo(meanBootstrap[side]!, 12);
    const { stdout } = await runCli('metrics', 'auc', '--scores', scores(), '--labels', labels(), '--patients', option());
    expect(stdout).toContain('95 % (patients)');
    expect(stdout).toContain('Intervals over 20 patients with 60 images');
    expect(stdout).toContain('0.5412 to 0.8325');
  });

  it('gives none where all images of a class are of one patient', async () => {
    const one = write(
      'one.csv',
      csv([['image', 'patient'], ...rows.map((row) => [row.image, row.labels.Cardiomegaly ? 'p0' : row.patient])]),
    );
    const { result } = await measure(scores(), labels(), '--patients', one);
    expect(result.findings.Cardiomegaly).toMatchObject({ bootstrap: null, reason: 'a class of one patient: no interval' });
    expect(result.findings.Effusion.bootstrap).not.toBeNull();
  });

  it('is refused where a patient is missing or contradicts another line', async () => {
    const file = (name: string, lines: (string | number)[][]) => write(name, csv(lines));
    const all = rows.map((row) => [row.image, row.patient]);
    const head = ['image', 'patient'];
    expect(await refusal(scores(), labels(), '--patients', 'Patients')).toMatch(
      /--patients "Patients" is neither a column of .*labels\.csv, whose header is .*, nor a file/,
    );
    expect(await refusal(scores(), labels(), '--patients', file('p.csv', [head, ...all.slice(1)]))).toMatch(
      /p\.csv has no patient for 00000001_000\.png/,
    );
    expect(await refusal(scores(), labels(), '--patients', file('p.csv', [head, ['00000001_000', ' '], ...all.slice(1)]))).toMatch(
      /p\.csv line 2: 00000001_000\.png has no patient/,
    );
    expect(await refusal(scores(), labels(), '--patients', file('p.csv', [head, ...all, ['00000001_000', 'other']]))).toMatch(
      /line 62: the patient of 00000001_000 is "other" here and "p0" in line 2/,
    );
    expect(await refusal(scores(), labels(), '--patients', file('p.csv', [head, ...all, ['x/00000001_000', 'p0']]))).toMatch(
      /00000001_000\.png is ambiguous/,
    );
    expect(
      await refusal(
        scores(),
        labels(),
        '--patients',
        file('p.csv', [
          ['image', 'age', 'sex'],
          ['a', 1, 2],
        ]),
      ),
    ).toMatch(/p\.csv line 1: no column "patient"/);
  });
});
