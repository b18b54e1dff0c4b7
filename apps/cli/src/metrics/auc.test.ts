import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { requireOrSkip } from '@cxr-lens/data/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';
import reference from './tests/reference.json' with { type: 'json' };

const { rows, findings: expected, meanBootstrap } = reference.auc;
const folder = mkdtempSync(path.join(tmpdir(), 'cxr-auc-'));
const write = (name: string, content: string | Buffer): string => {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
};
const csv = (cells: readonly (readonly (string | number)[])[], separator = ','): string =>
  `${cells.map((row) => row.join(separator)).join('\n')}\n`;

type Row = (typeof rows)[number];
const scoreCells = (name: (row: Row) => string, header = ['Image Index', 'Cardiomegaly', 'Effusion']) => [
  header,
  ...rows.map((row) => [name(row), row.a.Cardiomegaly, row.a.Effusion]),
];
const png = ({ image }: Row) => `${image}.png`;
const plain = scoreCells(png);
const findingsOf = ({ labels }: Row) =>
  Object.entries(labels)
    .flatMap(([finding, present]) => (present ? [finding] : []))
    .join('|') || 'No Finding';
const nihLabels = [['Image Index', 'Finding Labels', 'Patient ID'], ...rows.map((row) => [png(row), findingsOf(row), row.patient])];
const columnLabels = [
  ['image', 'cardiomegaly', 'effusion'],
  ...rows.map((row) => [png(row), row.labels.Cardiomegaly, row.labels.Effusion]),
];
const comma = (value: string | number) => (typeof value === 'number' ? String(value).replace('.', ',') : value);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function measure(scores: string, labels: string, ...more: string[]) {
  const { code, stdout, stderr } = await runCli('metrics', 'auc', '--scores', scores, '--labels', labels, '--json', ...more);
  if (code !== 0) throw new Error(stderr);
  return { result: JSON.parse(stdout), stderr };
}

async function refusal(scores: string, labels: string, ...more: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli('metrics', 'auc', '--scores', scores, '--labels', labels, '--json', ...more);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).not.toContain('    at ');
  return stderr;
}

function expectReference(result: { findings: Record<string, { auc: number; positives: number }> }): void {
  expect(Object.keys(result.findings)).toEqual(Object.keys(expected));
  for (const [finding, { auc, positives }] of Object.entries(expected)) {
    expect(result.findings[finding]!.auc).toBeCloseTo(auc, 12);
    expect(result.findings[finding]!.positives).toBe(positives);
  }
}

describe('a file of scores is read as it is', () => {
  const shapes: Record<string, string | Buffer> = {
    plain: csv(plain),
    'an extra column': csv(plain.map((row, i) => [...row, i === 0 ? 'Fracture' : 0.1])),
    'a column of text': csv(plain.map((row, i) => [...row, i === 0 ? 'comment' : 'n/a'])),
    "pandas' index": csv(plain.map((row, i) => [i === 0 ? '' : i - 1, ...row])),
    "pandas' index, saved twice": csv(plain.map((row, i) => [i === 0 ? 'Unnamed: 0' : i - 1, ...row])),
    "images as pandas' index": csv(scoreCells(png, ['', 'Cardiomegaly', 'Effusion'])),
    paths: csv(scoreCells((row) => `/data/images_001/images/${png(row)}`, ['path', 'Cardiomegaly', 'Effusion'])),
    'paths of Windows': csv(scoreCells((row) => `C:\\data\\${png(row)}`, ['File Name', 'Cardiomegaly', 'Effusion'])),
    'no extension': csv(scoreCells(({ image }) => image, ['image_id', 'Cardiomegaly', 'Effusion'])),
    'another extension': csv(scoreCells(({ image }) => `${image}.JPG`)),
    'other names of the findings': csv(scoreCells(png, ['IMAGE', 'CARDIOMEGALY', 'Pleural Effusion'])),
    'other columns first': csv(plain.map(([image, ...cells]) => [...cells.reverse(), image!])),
    semicolons: csv(plain, ';'),
    tabs: csv(plain, '\t'),
    'semicolons and decimal commas': csv(
      plain.map((row) => row.map(comma)),
      ';',
    ),
    'quoted decimal commas': csv(plain.map((row) => row.map((cell) => `"${comma(cell)}"`))),
    'a byte order mark': `\uFEFF${csv(plain)}`,
    "Excel's Unicode text": Buffer.from(`\uFEFF${csv(plain, '\t')}`, 'utf16le'),
    'line ends of Windows': csv(plain).replaceAll('\n', '\r\n'),
    'line ends of old Macs': csv(plain).replaceAll('\n', '\r'),
    'quoted cells': csv(plain.map((row) => row.map((cell) => `"${cell}"`))),
    blanks: csv(
      plain.map((row) => row.map((cell) => ` ${cell}  `)),
      ' ,',
    ),
    'blanks around quoted cells': csv(
      plain.map((row) => row.map((cell) => `"${cell}"`)),
      ' , ',
    ),
    'quoted cells between tabs': csv(
      plain.map((row, i) => [`"${row[0]}"`, i === 0 ? 'comment' : '', ...row.slice(1)]),
      '\t',
    ),
    'no line end at the end': csv(plain).trimEnd(),
    'blank lines and lines of separators': `${csv(plain).replaceAll('\n00000007', '\n\n00000007')},,\n\n`,
    'the scientific notation': csv(plain.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toExponential() : cell)))),
  };

  it.each(Object.keys(shapes))('%s', async (shape) => {
    const scores = write('scores.csv', shapes[shape]!);
    for (const labels of [nihLabels, columnLabels]) {
      const { result } = await measure(scores, write('labels.csv', csv(labels)));
      expectReference(result);
      expect(result.images).toBe(60);
    }
  });

  it.each(['extra-column', 'pandas-index', 'paths', 'no-extension', 'pleural-effusion', 'semicolons'] as const)(
    "a researcher's file: %s",
    async (name, ...rest) => {
      const [ctx] = rest as unknown as [{ skip(note?: string): never }];
      const given = requireOrSkip(ctx, 'samples', 'failing-inputs/researcher/f5-metrics-auc');
      const { result } = await measure(path.join(given, `${name}.csv`), path.join(given, 'labels.csv'));
      for (const [finding, auc] of Object.entries(reference.given.auc[name])) expect(result.findings[finding].auc).toBeCloseTo(auc, 12);
    },
  );

  it('says what was left out, and how images were matched', async () => {
    const scores = write(
      'scores.csv',
      csv(scoreCells(({ image }) => `a/${image}.jpg`).map((row, i) => [i, ...row, i ? 0 : 'Fracture'])).replace('0,', ','),
    );
    const labels = write('labels.csv', csv([...nihLabels, ['00000099_000.png', 'Hernia', 'p99']]));
    const { result, stderr } = await measure(scores, labels);
    expect(result).toMatchObject({
      patients: null,
      matchedByBaseName: 60,
      leftOut: { columns: ['', 'Fracture'], unlabelledFindings: [], labels: 1 },
    });
    expect(stderr).toContain('left out, as it is no finding of NIH: columns 1 (without a name), "Fracture"');
    expect(stderr).toContain(`1 image of ${labels} without scores left out`);
    expect(stderr).toContain('60 images matched by name without folder and extension');
    expect(stderr).toContain('--patients "Patient ID"');
    const some = await measure(scores, write('some.csv', csv(columnLabels.map((row) => row.slice(0, 2)))));
    expect(Object.keys(some.result.findings)).toEqual(['Cardiomegaly']);
    expect(some.result.leftOut.unlabelledFindings).toEqual(['Effusion']);
    expect(some.stderr).toContain('no label column for Effusion: left out');
    const { stdout } = await runCli('metrics', 'auc', '--scores', scores, '--labels', labels);
    expect(stdout).toContain('Intervals over 60 images, taken as independent');
  });
});

describe('a file that would be read wrongly is refused', () => {
  const header = ['image', 'Mass'];
  const good = [header, ['a.png', '0.5'], ['b.png', '0.25']];
  const labels = [
    ['Image Index', 'Finding Labels'],
    ['a.png', 'Mass'],
    ['b.png', 'No Finding'],
  ];
  type Cells = (string | number)[][];

  it.each([
    'Infinity',
    '-inf',
    'NaN',
    'nan',
    '0x10',
    '0b1',
    '1e999',
    '1e-999',
    '1_000',
    '',
    ' ',
    '.',
    '-',
    '1e',
    '50%',
    'null',
    '0.5.1',
    '1,5.0',
  ])('"%s" is no score', async (text) => {
    const sentence = await refusal(
      write('s.csv', csv([...good, ['c.png', text]], ';')),
      write('l.csv', csv([...labels, ['c.png', 'Mass']])),
    );
    expect(sentence).toMatch(/s\.csv line 4: the score for Mass is ".*"[;,] .*\./);
  });

  it.each<[string, Cells, Cells, RegExp]>([
    ['an image twice', [...good, ['a.png', '0.5']], labels, /s\.csv line 4: a\.png is listed twice, first in line 2\. Remove one/],
    [
      'an image twice by base name',
      [...good, ['x/a.jpg', '0.5']],
      labels,
      /s\.csv line 4: x\/a\.jpg and a\.png \(line 2\) are both a\.png of .*l\.csv/,
    ],
    ['a label twice', good, [...labels, ['a.png', 'Mass']], /l\.csv line 4: a\.png is listed twice, first in line 2/],
    ['a label twice, otherwise', good, [...labels, ['a.png', 'No Finding']], /l\.csv line 4: a\.png is listed twice/],
    ['a label twice in columns', good, [header, ['a.png', '1'], ['a.png', '0'], ['b.png', '0']], /l\.csv line 3: a\.png is listed twice/],
    [
      'two images of one base name',
      [header, ['a', '0.5'], ['b', '0.25']],
      [labels[0]!, ['x/a.png', 'Mass'], ['y/a.png', 'Mass'], ['b.png', 'Mass']],
      /a is ambiguous: .*l\.csv lists both x\/a\.png and y\/a\.png\. Write the image as that file does/,
    ],
    [
      'a lost row',
      [...good, ['c.png', '0.1']],
      labels,
      /s\.csv line 4: .*l\.csv has no label for c\.png\. Add it there, or remove this line/,
    ],
    ['a row without an image', [...good, ['', '0.1']], labels, /s\.csv line 4: the image has no name/],
    ['an unquoted decimal comma', [header, ['a.png', '0,5'], ['b.png', '0']], labels, /s\.csv line 2: cell 3 is "5".*decimal comma/],
    [
      'an unquoted decimal comma below a comma at the end of the header',
      [
        ['image', 'Mass', ''],
        ['a.png', '0,5'],
        ['b.png', '0'],
      ],
      labels,
      /s\.csv line 2: cell 3 is "5"/,
    ],
    [
      'a cell too many',
      [header, ['a.png', '0.5', '0.1'], ['b.png', '0']],
      labels,
      /s\.csv line 2: cell 3 is "0\.1", and the header names no column 3/,
    ],
    [
      'decimal comma and point',
      [header, ['a.png', '"0,5"'], ['b.png', '0.25']],
      labels,
      /line 2: the score for Mass is "0,5", but line 3 has "0\.25"/,
    ],
    [
      'a comma that may be either',
      [header, ['a.png', '"1,234"'], ['b.png', '5']],
      labels,
      /line 2: .*"1,234", which may be a decimal or a thousands comma/,
    ],
    ['points and commas in one number', [header, ['a.png', '"1.234,5"'], ['b.png', '5']], labels, /line 2: .*"1\.234,5"/],
    [
      'two columns of images',
      [
        ['image', 'Image', 'Mass'],
        ['a.png', 'b.png', '1'],
      ],
      labels,
      /line 1: two columns "image"\. Remove one/,
    ],
    [
      'two names of one finding',
      [
        ['image', 'Effusion', 'Pleural Effusion'],
        ['a.png', '1', '2'],
      ],
      labels,
      /two columns for Effusion, "Effusion" and "Pleural Effusion"/,
    ],
    ['an uncertain label', good, [header, ['a.png', '-1'], ['b.png', '0']], /l\.csv line 2: the label for Mass is "-1"; expected 0 or 1/],
    ['a label left out', good, [header, ['a.png', '1'], ['b.png', '']], /l\.csv line 3: the label for Mass is ""; expected 0 or 1/],
    ['scores for labels', good, [header, ['a.png', '0.7'], ['b.png', '0']], /l\.csv line 2: the label for Mass is "0\.7"/],
    [
      'labels of other findings',
      good,
      [
        ['image', 'Hernia'],
        ['a.png', '1'],
        ['b.png', '0'],
      ],
      /l\.csv line 1: no label column for Mass, which .*s\.csv scores/,
    ],
    [
      'no labels',
      good,
      [
        ['image', 'age'],
        ['a.png', '1'],
        ['b.png', '0'],
      ],
      /l\.csv line 1: the column "Finding Labels" is missing, and no column is a finding/,
    ],
  ])('%s', async (_, scores, own, sentence) => {
    expect(await refusal(write('s.csv', csv(scores)), write('l.csv', csv(own)))).toMatch(sentence);
  });

  it('but not where names tell images of one base name apart', async () => {
    const scores = write('s.csv', csv([header, ['x/a.png', '0.5'], ['y/a.png', '0.25']]));
    const { result } = await measure(scores, write('l.csv', csv([labels[0]!, ['y/a.png', 'No Finding'], ['x/a.png', 'Mass']])));
    expect([result.findings.Mass.auc, result.matchedByBaseName]).toEqual([1, 0]);
    const uids = write('u.csv', csv([header, ['1.2.840.1', '0.5'], ['1.2.840.2', '0.25']]));
    const dicom = await measure(uids, write('l.csv', csv([labels[0]!, ['d/1.2.840.2.dcm', 'No Finding'], ['d/1.2.840.1.dcm', 'Mass']])));
    expect([dicom.result.findings.Mass.auc, dicom.result.matchedByBaseName]).toEqual([1, 2]);
  });
});

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
    expect(result.findings.Cardiomegaly.bootstrap).toBeNull();
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
