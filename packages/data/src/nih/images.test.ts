import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../tests/small-folder.ts';
import { findImages } from './images.ts';

/** The file read for each listed image, relative to the folder, and the notes. */
async function found(listed: string[], files: string[], images?: string) {
  const folder = await temporaryFolder();
  for (const file of files) {
    await mkdir(path.join(folder, path.dirname(file)), { recursive: true });
    await writeFile(path.join(folder, file), '');
  }
  const { files: paths, otherExtension, warnings } = await findImages(folder, new Map(listed.map((name) => [name, {}])), images);
  const read = Object.fromEntries([...paths].map(([name, file]) => [name, path.relative(folder, file)]));
  return { read, other: otherExtension.count, example: otherExtension.example, warnings };
}

describe('the file of the listed name is read', () => {
  it.each<[string, string[], string[], Record<string, string>, number]>([
    ['a .jpg beside it', ['x.png'], ['images/x.jpg', 'images/x.png'], { 'x.png': 'images/x.png' }, 0],
    ['a .jpeg, .JPG and .PNG beside it', ['x.png'], ['x.PNG', 'x.JPG', 'x.jpeg', 'x.png'], { 'x.png': 'x.png' }, 0],
    ['a listed .jpg with a .png beside it', ['x.jpg'], ['x.jpg', 'x.png'], { 'x.jpg': 'x.jpg' }, 0],
    ['a listed .PNG', ['x.PNG'], ['x.PNG', 'x.jpg'], { 'x.PNG': 'x.PNG' }, 0],
    ['a .jpg in an earlier archive', ['x.png'], ['images_001/x.jpg', 'images_002/x.png'], { 'x.png': 'images_002/x.png' }, 0],
    ['both listed', ['x.png', 'x.jpg'], ['x.jpg', 'x.png'], { 'x.jpg': 'x.jpg', 'x.png': 'x.png' }, 0],
    ['both listed, one absent', ['x.png', 'x.jpg'], ['x.jpg'], { 'x.jpg': 'x.jpg' }, 0],
    ['absent, a .jpg there', ['x.png', 'y.png'], ['x.jpg', 'y.png'], { 'x.png': 'x.jpg', 'y.png': 'y.png' }, 1],
    ['absent, a .PNG there', ['x.png'], ['x.PNG'], { 'x.png': 'x.PNG' }, 1],
    ['listed as .jpg, a .png there', ['x.jpg'], ['x.png'], { 'x.jpg': 'x.png' }, 1],
    ['listed without extension', ['x'], ['x.png'], { x: 'x.png' }, 1],
    ['not listed', ['x.png'], ['y.jpg', 'x.png.txt', '._x.png'], {}, 0],
  ])('%s', async (_name, listed, files, read, other) => {
    expect(await found(listed, files)).toMatchObject({ read, other, warnings: [] });
  });

  it('and the first of those that take the place of an absent one is named', async () => {
    expect((await found(['x.png', 'y.png'], ['x.jpg', 'y.jpeg'])).example).toEqual({ listed: 'x.png', file: 'x.jpg' });
  });

  it('and where several could take its place the lossless one is, which is said', async () => {
    const { read, warnings } = await found(['x.png'], ['images/x.jpeg', 'images/x.JPG', 'images/x.PNG']);
    expect(read).toEqual({ 'x.png': 'images/x.PNG' });
    expect(warnings).toEqual([
      expect.stringMatching(
        /1 listed images have several files: images\/x\.PNG is read, not images\/x\.jpeg, images\/x\.JPG|not images\/x\.JPG, images\/x\.jpeg/,
      ),
    ]);
  });

  it('and one name twice in a collection is said', async () => {
    const { read, warnings } = await found(['x.png'], ['images_001/x.png', 'images_002/x.png', 'images_003/x.jpg']);
    expect(read).toEqual({ 'x.png': 'images_001/x.png' });
    expect(warnings).toEqual([expect.stringMatching(/images_001\/x\.png is read, not images_002\/x\.png\./)]);
  });
});

describe('of two collections', () => {
  const JPEGS = ['jpegs/x.jpg', 'jpegs/y.jpg', 'jpegs/z.jpg'];

  it('the one of the listed names is used, however small', async () => {
    const { read, other, warnings } = await found(['x.png', 'y.png', 'z.png'], [...JPEGS, 'images/x.png', 'images/y.png']);
    expect([read, other]).toEqual([{ 'x.png': 'images/x.png', 'y.png': 'images/y.png' }, 0]);
    expect(warnings).toEqual([expect.stringMatching(/1 images that are only in jpegs are left out\. "--images jpegs"/)]);
  });

  it('the other one is used when it is asked for, and counted', async () => {
    const { read, other } = await found(['x.png', 'y.png', 'z.png'], [...JPEGS, 'images/x.png'], 'jpegs');
    expect([Object.keys(read).length, other]).toEqual([3, 3]);
  });

  it('both are used where they share no image', async () => {
    const { read, other, warnings } = await found(['x.png', 'y.png', 'w.png'], ['jpegs/x.jpg', 'images/w.png', 'images/y.png']);
    expect(read).toEqual({ 'w.png': 'images/w.png', 'x.png': 'jpegs/x.jpg', 'y.png': 'images/y.png' });
    expect([other, warnings]).toEqual([1, []]);
  });
});
