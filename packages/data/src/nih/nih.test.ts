import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../testing.ts';
import { imageName, type SmallFolder, smallFolder, writeImages } from '../tests/small-folder.ts';
import { type NihFolder, readNih } from './nih.ts';

const ENTRIES = 'Data_Entry_2017_v2020.csv';
const BOXES = 'BBox_List_2017.csv';

/** Replaces text in one of the files, and makes sure that it was there. */
function replace(name: keyof SmallFolder, from: string, to: string): (files: SmallFolder) => void {
  return (files) => {
    expect(files[name]).toContain(from);
    files[name] = files[name].replace(from, to);
  };
}

const named = (folder: NihFolder, name: string) => folder.images.find((image) => image.name === name)!;

describe('a folder in NIH format', () => {
  it('is read with labels, people, splits and boxes', async () => {
    const folder = await smallFolder();
    const read = await readNih(folder);
    expect(read).toMatchObject({ listed: 50, missing: 0, warnings: [], synthetic: false });
    expect(named(read, imageName(1, 1))).toMatchObject({
      file: path.join(folder, 'images', imageName(1, 1)),
      patientId: '1',
      followUp: 1,
      age: 31,
      sex: 'F',
      view: 'AP',
      findings: ['Mass', 'Nodule'],
      boxes: [],
    });
    expect(named(read, imageName(21, 1))).toMatchObject({
      split: 'test',
      boxes: [{ finding: 'Infiltration', box: { x: 101, y: 200.5, width: 300.25, height: 401 } }],
    });
  });

  it('reads the header of 2017 with its ages and trailing comma, the box header of mirrors, CRLF and a byte order mark', async () => {
    const read = await readNih(
      await smallFolder((files) => {
        files[ENTRIES] =
          `\uFEFF${files[ENTRIES].replaceAll('0.171,0.171', '0.171,0.171,').replace('y]', 'y],').replace(',1,31,', ',1,031Y,').replace(',2,32,', ',2,011M,')}`;
        files[BOXES] = files[BOXES].replace('Bbox [x,y,w,h],,,', 'Bbox x,Bbox y,Bbox w,Bbox h').replaceAll(',,,', '');
        for (const name of ['train_val_list.txt', 'test_list.txt', ENTRIES] as const) files[name] = files[name].replaceAll('\n', '\r\n');
      }),
    );
    expect(named(read, imageName(1, 0)).age).toBe(31);
    expect(named(read, imageName(2, 0)).age).toBe(0);
    expect(read.images).toHaveLength(50);
    expect(read.images.flatMap((image) => image.boxes)).toHaveLength(10);
  });

  it('keeps each patient in one split, a tenth of train_val for validation, by seed', async () => {
    const folder = await smallFolder();
    const [first, again, other] = [await readNih(folder), await readNih(folder, { seed: 0 }), await readNih(folder, { seed: 1 })];
    expect(again).toEqual(first);
    expect(other.splitHash).not.toBe(first.splitHash);
    const count = (split: string) => first.images.filter((image) => image.split === split).length;
    expect([count('train'), count('validation'), count('test')]).toEqual([36, 4, 10]);
    const splits = new Map<string, Set<string>>();
    for (const image of first.images) splits.set(image.patientId, (splits.get(image.patientId) ?? new Set()).add(image.split));
    expect([...splits.values()].every((set) => set.size === 1)).toBe(true);
  });

  it('counts what is missing, and a patient keeps its split when archives are missing', async () => {
    const folder = await smallFolder();
    const whole = await readNih(folder);
    for (let patient = 1; patient <= 12; patient += 1) await rm(path.join(folder, 'images', imageName(patient, 0)));
    const part = await readNih(folder);
    expect(part).toMatchObject({ missing: 12, listed: 50, splitHash: whole.splitHash });
    for (const image of part.images) expect(image.split).toBe(named(whole, image.name).split);
  });

  it('finds the twelve archives, and chooses one of two folders with the same images', async () => {
    const folder = await smallFolder(undefined, { images: false });
    const names = Array.from({ length: 25 }, (_, index) => imageName(index + 1, 0));
    await writeImages(path.join(folder, 'images_001/images'), names.slice(0, 13));
    await writeImages(path.join(folder, 'images_002/images'), names.slice(13));
    await writeImages(path.join(folder, 'images-large'), names.slice(0, 3));
    const read = await readNih(folder);
    expect(read.images).toHaveLength(25);
    expect(named(read, names[0]!).file).toContain('images_001');
    expect(read.warnings).toEqual([
      expect.stringMatching(
        /3 images are both in images \(25 images\).* and in images-large \(3\).*no image is lost.*"--images images-large"/,
      ),
    ]);
    const chosen = await readNih(folder, { images: 'images-large' });
    expect(chosen.images.map((image) => image.name)).toEqual(names.slice(0, 3));
    expect(chosen.splitHash).toBe(read.splitHash);
  });

  it('says how many images are left out with a collection that shares one, and which other one has it', async () => {
    const folder = await smallFolder(undefined, { images: false });
    const names = Array.from({ length: 25 }, (_, index) => imageName(index + 1, 0));
    await writeImages(path.join(folder, 'a'), names.slice(0, 12));
    await writeImages(path.join(folder, 'b'), names.slice(12, 20));
    await writeImages(path.join(folder, 'c'), names.slice(19));
    const read = await readNih(folder);
    expect(read.images).toHaveLength(20);
    expect(read.warnings).toEqual([
      expect.stringMatching(/1 images are both in b \(8 images\).* c \(6\).*5 images that are only in c are left out/),
    ]);
  });

  it("is synthetic when it has the phantom's truth, whose masks are no images", async () => {
    const folder = await smallFolder();
    const marker = path.join(folder, 'truth/phantom.json');
    await mkdir(path.join(folder, 'truth'));
    await rename(path.join(folder, 'images', imageName(1, 0)), path.join(folder, 'truth', imageName(1, 0)));
    expect(await readNih(folder)).toMatchObject({ synthetic: false, missing: 1 });
    await writeFile(marker, '{"synthetic": true}');
    expect(await readNih(folder)).toMatchObject({ synthetic: true, missing: 1, warnings: [] });
    await writeFile(marker, '{"synth');
    await expect(readNih(folder)).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  it('does without a box list, and says so', async () => {
    const folder = await smallFolder();
    await rm(path.join(folder, BOXES));
    expect((await readNih(folder)).warnings).toEqual([expect.stringMatching(/localisation cannot be measured/)]);
  });
});

describe('a folder with a mistake is refused, with file, line and remedy', () => {
  it.each<[string, (files: SmallFolder) => void, RegExp]>([
    ['a missing column', replace(ENTRIES, 'Patient ID', 'Person'), /Data_Entry_2017_v2020\.csv line 1: the column "Patient ID" is missing/],
    ['a missing box column', replace(BOXES, 'Bbox [x,y,w,h],,,', 'x1,y1,x2,y2'), /BBox_List_2017\.csv line 1: the columns of the box/],
    ['an unknown finding', replace(ENTRIES, 'Mass|Nodule', 'Mass|Lump'), /csv line 3: Unknown finding "Lump"/],
    ['a box for an unknown finding', replace(BOXES, 'Infiltrate', 'Lump'), /csv line 3: a box for "Lump"; expected one of Atelectasis/],
    ['a box for a finding without boxes', replace(BOXES, 'Infiltrate', 'Hernia'), /csv line 3: a box for "Hernia"/],
    ['a box outside its image', replace(BOXES, ',100,', ',800,'), /csv line 2: the box of 00000021_000\.png \(x 800.* outside its image/],
    ['a box without a height', replace(BOXES, ',400,', ',0,'), /csv line 2: the box of .* has height 0; expected more than 0/],
    ['a box of negative width', replace(BOXES, ',300.25,', ',-3,'), /csv line 2: the box of .* has width -3; expected more than 0/],
    ['a box without a size', replace(BOXES, ',300.25,400,', ',0,0,'), /csv line 2: the box of .* has width 0 and height 0; expected/],
    ['a box that is no number', replace(BOXES, ',100,', ',NaN,'), /csv line 2: the box of .* expected four numbers/],
    ['a box cut off', replace(BOXES, ',100,200.5,300.25,400,,,', ',100'), /csv line 2: the box of .* expected four numbers/],
    ['two boxes for one finding', (files) => (files[BOXES] += files[BOXES].split('\n')[1]), /line 12: .* second box for Mass/],
    ['an image twice', (files) => (files[ENTRIES] += files[ENTRIES].split('\n')[1]), /line 52: 00000001_000\.png is listed twice/],
    ['an unknown view', replace(ENTRIES, ',AP,', ',LL,'), /csv line 3: the view position is "LL"/],
    ['no patient', replace(ENTRIES, ',0,1,31,', ',0,,31,'), /csv line 2: .* has no "Patient ID"/],
    ['an empty table', (files) => (files[ENTRIES] = ''), /is empty/],
    ['a table without images', (files) => (files[ENTRIES] = `${files[ENTRIES].split('\n')[0]}\n`), /lists no image/],
    ['a quote that is not closed', replace(ENTRIES, 'Mass|', '"Mass|'), /is no CSV file/],
    ['an empty list', (files) => (files['test_list.txt'] = '\n'), /test_list\.txt names no image/],
    [
      'an image in both lists',
      (files) => (files['test_list.txt'] += `${imageName(3, 1)}\n`),
      /test_list\.txt line 11: 00000003_001\.png is also on line 6 of/,
    ],
    [
      'a patient in both lists',
      (files) => {
        files['train_val_list.txt'] = files['train_val_list.txt'].replace(`${imageName(3, 1)}\n`, '');
        files['test_list.txt'] += `${imageName(3, 1)}\n`;
      },
      /test_list\.txt line 11: patient 3 of 00000003_001\.png is also on line 5 of .*train_val_list\.txt \(00000003_000\.png\)/,
    ],
  ])('%s', async (_name, edit, message) => {
    const folder = await smallFolder((files) => void edit(files), { images: false });
    await expect(readNih(folder)).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(message) });
  });

  it.each([
    ['a folder that does not exist', async () => '/nowhere/at/all', /does not exist/],
    ['a folder without images', () => smallFolder(undefined, { images: false }), /None of the listed images is in/],
    [
      'a folder without lists',
      async () => {
        const folder = await smallFolder();
        await rm(path.join(folder, 'test_list.txt'));
        return folder;
      },
      /holds no test_list\.txt/,
    ],
  ])('%s', async (_name, make, message) => {
    await expect(readNih(await make())).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringMatching(message) });
  });
});

describe('the NIH sample', () => {
  it('has the official counts', async (ctx) => {
    const folder = requireOrSkip(ctx, 'samples', 'nih-sample');
    const read = await readNih(folder);
    expect(read).toMatchObject({ listed: 112120, missing: 112120 - 1162 });
    const test = read.images.filter((image) => image.split === 'test');
    expect(test).toHaveLength(478);
    expect(test.filter((image) => image.boxes.length > 0)).toHaveLength(18);
    expect(read.warnings).toEqual([expect.stringMatching(/images-1024/)]);
  });
});
