import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../tests/small-folder.ts';
import { readBoxes } from './boxes.ts';
import { lineOf, numberOf, readTable, rowError } from './table.ts';

async function fileOf(content: string | Buffer): Promise<string> {
  const file = path.join(await temporaryFolder(), 'table.csv');
  await writeFile(file, content);
  return file;
}

describe('readTable', () => {
  const rows = [
    ['a.png', '1', ''],
    ['b.png', '', '2'],
  ];
  const cells = [['image', 'x', 'y'], ...rows];
  const lines = (separator: string, quote = '') => cells.map((row) => row.map((cell) => quote + cell + quote).join(separator)).join('\n');

  it.each<[string, string | Buffer]>([
    ['commas', lines(',')],
    ['semicolons', lines(';')],
    ['tabs', lines('\t')],
    ['quoted cells between commas', lines(',', '"')],
    ['quoted cells between semicolons', lines(';', '"')],
    ['quoted cells between tabs, some empty', lines('\t', '"').replaceAll('""', '')],
    ['blanks around quoted cells', lines(' , ', '"')],
    ['a byte order mark and line ends of Windows', `\uFEFF${lines(';').replaceAll('\n', '\r\n')}\r\n`],
    ['UTF-16, little endian', Buffer.from(`\uFEFF${lines('\t')}`, 'utf16le')],
    ['UTF-16, big endian', Buffer.from(`\uFEFF${lines('\t', '"')}`, 'utf16le').swap16()],
  ])('reads %s', async (_, content) => {
    const table = await readTable(await fileOf(content));
    expect([table.header, ...table.rows]).toEqual(cells);
  });

  it('takes the separator that the header holds most of, within quotes none, and the comma where there is none', async () => {
    const header = async (text: string) => (await readTable(await fileOf(`${text}\n`))).header;
    expect(await header('Image Index;Size[w,h];Age;Sex')).toEqual(['Image Index', 'Size[w,h]', 'Age', 'Sex']);
    expect(await header('Image Index,Bbox [x,y,w,h],,,;note')).toHaveLength(8);
    expect(await header('"a;b;c",d')).toEqual(['a;b;c', 'd']);
    expect(await header('image')).toEqual(['image']);
  });

  it('names the line of the file also below a cell of several lines', async () => {
    const table = await readTable(await fileOf('image,"a\nnote"\na.png,"one\ntwo\nthree"\n\nb.png,x\n'));
    expect(table.rows.map((_, row) => lineOf(table, row))).toEqual([3, 6, 7]);
    expect(rowError(table, 2, 'x').message).toMatch(/table\.csv line 7: x$/);
  });

  it.each<[string, Buffer | string, RegExp]>([
    ['a spreadsheet', 'PK\x03\x04...', /no CSV file but an archive, as \.xlsx/],
    ['an unclosed quote', 'a,b\n"c,d\n', /is no CSV file: .*Correct it/],
    ['other bytes', Buffer.from([1, 2, 34, 200, 10, 34, 7]), /^[\x20-\x7e]*is no CSV file: [\x20-\x7e]*$/],
  ])('refuses %s', async (_, content, sentence) => {
    await expect(readTable(await fileOf(content))).rejects.toThrow(sentence);
  });

  it('reads a box list from a spreadsheet with semicolons, in each of its headers', async () => {
    const box = { finding: 'Mass', box: { x: 1.5, y: 2, width: 3, height: 4 } };
    for (const header of [
      'Image Index;Finding Label;Bbox [x,y,w,h];;;',
      'Image Index;Finding Label;Bbox [x;y;w;h];;',
      'image index;finding label;x;y;w;h',
    ]) {
      expect([...(await readBoxes(await fileOf(`${header}\na.png;Mass;1.5;2;3;4;;\n`)))]).toEqual([['a.png', [box]]]);
    }
    const nameless = await fileOf('Image Index;Finding Label;x;y;w;h\n;Mass;1;2;3;4\n');
    await expect(readBoxes(nameless)).rejects.toThrow(/line 2: the box has no image/);
    const commas = await fileOf('Image Index;Finding Label;x;y;w;h\na.png;Mass;1,5;2;3;4\n');
    await expect(readBoxes(commas)).rejects.toThrow(
      /line 2: the box of a\.png is "1,5;2;3;4"; expected four numbers x, y, w, h, with a decimal point/,
    );
  });
});

describe('numberOf', () => {
  it.each([
    ['0', 0],
    ['-0.0', -0],
    [' 12.5 ', 12.5],
    ['.5', 0.5],
    ['5.', 5],
    ['+1e-3', 0.001],
    ['1E3', 1000],
    ['0e999', 0],
    ['5e-324', 5e-324],
  ])('reads "%s"', (text, value) => expect(numberOf(text)).toBe(value));

  it.each([
    '',
    ' ',
    '.',
    '-',
    'e5',
    '1e',
    '0x10',
    '0b1',
    '0o7',
    'NaN',
    'Infinity',
    '-inf',
    '1e999',
    '1e-999',
    '1_0',
    '1 0',
    '0,5',
    '1.2.3',
    '5%',
    'true',
  ])('does not take "%s"', (text) => expect(numberOf(text)).toBeNull());
});
