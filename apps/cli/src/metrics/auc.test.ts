import path from 'node:path';
import { requireOrSkip } from '@cxr-lens/data/testing';
import { describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';
import reference from './tests/reference.json' with { type: 'json' };
import { columnLabels, csv, expectReference, measure, nihLabels, plain, png, refusal, scoreCells, write } from './tests/scores-case.ts';

const comma = (value: string | number) => (typeof value === 'number' ? String(value).replace('.', ',') : value);

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

  it.for(['extra-column', 'pandas-index', 'paths', 'no-extension', 'pleural-effusion', 'semicolons'] as const)(
    "a researcher's file: %s",
    async (name, ctx) => {
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
