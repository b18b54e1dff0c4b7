import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../testing.ts';
import { smallFolder, temporaryFolder } from '../tests/small-folder.ts';
import { type ChosenFiles, findOfficialFiles, hashFiles } from './files.ts';
import { readNih } from './nih.ts';

/** A folder with these files, empty. */
async function folderOf(...names: string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) await writeFile(path.join(folder, name), '');
  return folder;
}

/** Names of the files that would be read; null without boxes. */
async function chosen(names: string[], files?: ChosenFiles): Promise<(string | null)[]> {
  const { table, trainValList, testList, boxes } = await findOfficialFiles(await folderOf(...names), files);
  return [table, trainValList, testList, boxes].map((file) => file && path.basename(file));
}

const LISTS = ['train_val_list.txt', 'test_list.txt'];
const OFFICIAL = ['Data_Entry_2017_v2020.csv', ...LISTS, 'BBox_List_2017.csv'];

describe("tables and lists: NIH's exact name wins over every other", () => {
  it.each([
    ['the table', 'Data_Entry_2017_v2020_old.csv', 'Data_Entry_2017_v2020 (1).csv', 'Data_Entry_2016.csv', 'data_entry_2017_v2020.csv'],
    ['the training list', 'train_val_list_tiny.txt', 'train_val_list_NIH.txt', 'train_val_list (1).txt'],
    ['the test list', 'test_list_tiny.txt', 'test_list_NIH.txt', 'TEST_LIST.txt'],
    ['the box list', 'BBox_List_2017_backup.csv', 'BBox_List_2017_Official_NIH.csv', 'BBox_List.csv'],
  ])('for %s', async (_name, ...others) => {
    expect(await chosen([...OFFICIAL, ...others])).toEqual(OFFICIAL);
  });

  it('and v2020 over 2017', async () => {
    const both = ['Data_Entry_2017.csv', ...OFFICIAL];
    expect((await chosen(both))[0]).toBe('Data_Entry_2017_v2020.csv');
    expect((await chosen(['Data_Entry_2017.csv', 'Data_Entry_2017_v2020_old.csv', ...LISTS]))[0]).toBe('Data_Entry_2017.csv');
  });

  it('and a folder of that name is no file', async () => {
    const folder = await folderOf('Data_Entry_mine.csv', ...LISTS);
    await mkdir(path.join(folder, 'Data_Entry_2017_v2020.csv'));
    expect(path.basename((await findOfficialFiles(folder)).table)).toBe('Data_Entry_mine.csv');
  });

  it('one file of another name is taken, and the box list may be absent', async () => {
    const mirror = ['Data_Entry_2017_mirror.csv', 'train_val_list_NIH.txt', 'test_list_NIH.txt'];
    expect(await chosen(mirror)).toEqual([...mirror, null]);
  });
});

describe('two files of which neither has the exact name', () => {
  it.each([
    ['--table', ['Data_Entry_2017_a.csv', 'Data_Entry_2017_b.csv'], [...LISTS]],
    ['--train-val-list', ['train_val_list_a.txt', 'train_val_list_b.txt'], ['Data_Entry_2017.csv', 'test_list.txt']],
    ['--test-list', ['test_list_a.txt', 'test_list_b.txt'], ['Data_Entry_2017.csv', 'train_val_list.txt']],
    ['--boxes', ['BBox_List_a.csv', 'BBox_List_b.csv'], ['Data_Entry_2017.csv', ...LISTS]],
  ])('are refused with both names and %s', async (option, [a, b], others) => {
    await expect(chosen([a!, b!, ...others])).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(new RegExp(`${a} and ${b}.*${option}`)),
    });
  });

  it('are chosen from by hand, relative to the folder or absolute', async () => {
    const names = ['Data_Entry_a.csv', 'Data_Entry_b.csv', ...LISTS];
    expect((await chosen(names, { table: 'Data_Entry_b.csv' }))[0]).toBe('Data_Entry_b.csv');
    const elsewhere = path.join(await folderOf('own.csv'), 'own.csv');
    expect((await findOfficialFiles(await folderOf(...names), { table: elsewhere })).table).toBe(elsewhere);
  });
});

it.each([
  ['that is not there', 'NOT_FOUND', 'nothing.csv', /nothing\.csv does not exist.*--table/],
  ['that is a folder', 'BAD_INPUT', 'images', /images is a folder.*--table/],
])('a chosen file %s is refused', async (_name, code, table, message) => {
  const folder = await smallFolder();
  await expect(readNih(folder, { files: { table } })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

it('says which files were read, with the SHA-256 of their bytes', async () => {
  const folder = await smallFolder(undefined, { images: true });
  await rename(path.join(folder, 'test_list.txt'), path.join(folder, 'mine.txt'));
  const { files } = await readNih(folder, { files: { testList: 'mine.txt' } });
  expect(files.map(({ role, name }) => [role, name])).toEqual([
    ['table', 'Data_Entry_2017_v2020.csv'],
    ['trainValList', 'train_val_list.txt'],
    ['testList', 'mine.txt'],
    ['boxes', 'BBox_List_2017.csv'],
  ]);
  for (const { name, sha256 } of files) {
    expect(sha256).toBe(
      createHash('sha256')
        .update(await readFile(path.join(folder, name)))
        .digest('hex'),
    );
  }
});

it('reads the exact names of a folder with old copies beside them', async (ctx) => {
  const folder = requireOrSkip(ctx, 'samples', 'failing-inputs/researcher/f2-second-table-wins');
  const read = await readNih(folder);
  expect(read.files.map(({ name }) => name)).toEqual(OFFICIAL);
  expect(read.images).toHaveLength(16);
  expect(read.images.filter(({ split }) => split === 'test')).toHaveLength(4);
  expect(read.images.flatMap(({ boxes }) => boxes)).toHaveLength(6);
  expect(read.images.some(({ findings }) => findings.length > 0)).toBe(true);
  expect(await hashFiles(await findOfficialFiles(folder))).toEqual(read.files);
});
