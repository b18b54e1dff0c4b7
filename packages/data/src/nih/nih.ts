import path from 'node:path';
import type { Box } from '../box.ts';
import { CxrError } from '../error.ts';
import type { BoxedFinding, Finding } from '../findings.ts';
import type { OnProgress } from '../progress.ts';
import { readBoxes } from './boxes.ts';
import { readEntries } from './entries.ts';
import { type ChosenFiles, findOfficialFiles, hashFiles, type OfficialFiles, type PhantomMarker, type ReadFile } from './files.ts';
import { type FoundImages, findImages } from './images.ts';
import { hashSplits, readSplits } from './splits.ts';

export const SPLITS = ['train', 'validation', 'test'] as const;
export type Split = (typeof SPLITS)[number];

export interface KnownBox {
  finding: BoxedFinding;
  box: Box;
}

/** One image of a folder in NIH format that is really there. Boxes are in pixels of the published 1024 x 1024 file. */
export interface NihImage {
  name: string;
  /** Absolute path. */
  file: string;
  patientId: string;
  followUp: number;
  /** Years; null where the table leaves it out. */
  age: number | null;
  sex: 'F' | 'M' | null;
  view: 'PA' | 'AP';
  findings: Finding[];
  split: Split;
  boxes: KnownBox[];
}

export interface NihFolder {
  images: NihImage[];
  /** Listed in the table, but not on this disk. */
  missing: number;
  listed: number;
  warnings: string[];
  /** SHA-256 of every listed image's name and split: which images are here does not change it. */
  splitHash: string;
  synthetic: boolean;
  /** The tables and lists that were read. */
  files: ReadFile[];
  otherExtension: FoundImages['otherExtension'];
}

export interface ReadNihOptions {
  /** Of the 90/10 split of train_val by patient; default 0. */
  seed?: number;
  /** The folder of images to use, relative to the data folder, where several hold the same images. */
  images?: string;
  /** Tables and lists to read instead of those that are found by their names. */
  files?: ChosenFiles;
  onProgress?: OnProgress;
}

/**
 * Reads a folder in NIH ChestX-ray14's format: tables, lists, boxes, and the images that are here, by name.
 * Archives may be missing and images resized; what is missing is counted. Wrong structure (a column, a list, a patient in both lists,
 * a box outside its image, an unknown finding) is BAD_INPUT with file and line; a file or folder that is not there NOT_FOUND.
 */
export async function readNih(folder: string, options: ReadNihOptions = {}): Promise<NihFolder> {
  const root = path.resolve(folder);
  const official = await findOfficialFiles(root, options.files);
  options.onProgress?.({ what: 'Reading tables and lists', done: 0, total: 2 });
  const hashed = await hashFiles(official);
  const entries = await readEntries(official.table);
  const seed = options.seed ?? 0;
  const splits = await readSplits({ ...official, entries, seed });
  const boxes = official.boxes ? await readBoxes(official.boxes) : new Map<string, KnownBox[]>();
  options.onProgress?.({ what: 'Looking for images', done: 1, total: 2 });
  const { files, otherExtension, warnings } = await findImages(root, entries, options.images);

  const names = [...entries.keys()].filter((name) => splits.has(name));
  const images: NihImage[] = [];
  for (const name of names) {
    const file = files.get(name);
    if (file) images.push({ ...entries.get(name)!, file, split: splits.get(name)!, boxes: boxes.get(name) ?? [] });
  }
  if (images.length === 0) throw noImages(options.images ? path.resolve(root, options.images) : root, names[0] ?? '00000001_000.png');
  images.sort((a, b) => (a.name < b.name ? -1 : 1));
  options.onProgress?.({ what: 'Looking for images', done: 2, total: 2 });
  return {
    images,
    missing: names.length - images.length,
    listed: names.length,
    warnings: [...warnings, ...gaps({ official, entries, splits, boxes }), ...misplacedShortcuts(official.phantom, seed)],
    splitHash: hashSplits(splits),
    synthetic: official.phantom !== null,
    files: hashed,
    otherExtension,
  };
}

/** What does not fit together, without making the rest useless: one sentence each. */
function gaps(read: {
  official: OfficialFiles;
  entries: ReadonlyMap<string, unknown>;
  splits: ReadonlyMap<string, unknown>;
  boxes: ReadonlyMap<string, unknown>;
}): string[] {
  const table = path.basename(read.official.table);
  const unlisted = [...read.entries.keys()].filter((name) => !read.splits.has(name)).length;
  const unknown = [...read.splits.keys()].filter((name) => !read.entries.has(name)).length;
  const strayBoxes = [...read.boxes.keys()].filter((name) => !read.entries.has(name)).length;
  return [
    ...(unlisted > 0 ? [`${unlisted} images of ${table} are in neither list and are left out.`] : []),
    ...(unknown > 0 ? [`${unknown} names of the lists are not in ${table} and are left out.`] : []),
    ...(strayBoxes > 0 ? [`The box list marks ${strayBoxes} images that are not in ${table}.`] : []),
    ...(read.official.boxes ? [] : ['There is no BBox_List_2017.csv: localisation cannot be measured on this data.']),
  ];
}

/** A phantom's dials of training and validation follow the split of one seed; another seed mixes the two. */
function misplacedShortcuts(phantom: PhantomMarker | null, seed: number): string[] {
  const { shortcuts, splitSeed } = phantom ?? {};
  if (!shortcuts || splitSeed === undefined || shortcuts.train === shortcuts.validation || seed === splitSeed) return [];
  return [
    `This phantom's shortcuts differ between training (${shortcuts.train}) and validation (${shortcuts.validation}) in the split of seed ${splitSeed}; ` +
      `the split of seed ${seed} mixes them. Use --seed ${splitSeed}.`,
  ];
}

function noImages(folder: string, example: string): CxrError {
  return new CxrError(
    'NOT_FOUND',
    `None of the listed images is in ${folder}. Expected files named like ${example}, in images/, images_001/images/ or any folder at most ` +
      'three levels below. Unpack the archives there, or name their folder with --images.',
  );
}
