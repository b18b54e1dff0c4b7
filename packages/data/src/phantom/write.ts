import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CxrError, throwIfCancelled } from '../error.ts';
import { type BoxedFinding, FINDINGS, type Finding } from '../findings.ts';
import type { Split } from '../nih/nih.ts';
import { readSplits } from '../nih/splits.ts';
import type { OnProgress } from '../progress.ts';
import { type PhantomImage, planImages } from './plan.ts';
import { drawImages, type ImageTruth } from './pool.ts';
import type { Prevalence } from './prevalence.ts';
import { addShortcuts, type ShortcutDials } from './shortcuts.ts';
import { boxTable, entryTable } from './tables.ts';

/** Changes when the same seed draws other pixels. */
const PHANTOM_VERSION = 2;

/** Of the split of training and validation that the shortcuts follow; the reader warns when it splits by another. */
const SPLIT_SEED = 0;

export interface WritePhantomOptions {
  /** Created where absent; it must be empty or hold the same phantom, which is then completed. */
  folder: string;
  images: number;
  seed: number;
  /** Width and height of the images in pixels, 32 ... 1024; default 256. */
  size?: number;
  /** Default `nih`. */
  prevalence?: Prevalence;
  /** Default 0: none. */
  shortcuts?: { train?: number; val?: number; test?: number };
  /** Share of wrong labels in [0, 0.5]; default 0. */
  labelNoise?: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export interface WritePhantomResult {
  folder: string;
  images: number;
  /** Images that were there already. */
  kept: number;
  patients: number;
  splits: Record<Split, number>;
  /** Labelled images of each finding, all and among the test images, and test pairs with a box. */
  findings: { finding: Finding; images: number; testImages: number; boxedPairs: number }[];
}

/**
 * Writes synthetic radiographs with known truth, as NIH publishes ChestX-ray14: images/, Data_Entry_2017_v2020.csv, BBox_List_2017.csv,
 * train_val_list.txt, test_list.txt; and truth/ with masks, dials and what really is there. Tables come last: a folder with tables is complete.
 * Called again after an interruption it keeps the images that are complete. BAD_INPUT for impossible options, CONFLICT when the folder holds something else.
 */
export async function writePhantom(options: WritePhantomOptions): Promise<WritePhantomResult> {
  const settings = readOptions(options);
  try {
    return await writeSet(options, settings, planImages(settings));
  } catch (error) {
    throw folderError(path.resolve(options.folder), error);
  }
}

async function writeSet(options: WritePhantomOptions, settings: Settings, planned: PhantomImage[]): Promise<WritePhantomResult> {
  const folder = path.resolve(options.folder);
  const marker = { synthetic: true, generator: 'cxr-lens phantom', version: PHANTOM_VERSION, ...settings, splitSeed: SPLIT_SEED };
  await openFolder(folder, marker);
  const splitOf = await writeLists(folder, planned);
  addShortcuts(planned, { seed: settings.seed, dials: settings.shortcuts, prevalence: settings.prevalence, splitOf });

  const done = await completeImages(folder, planned);
  const missing = planned.filter((image) => !done.has(image.name));
  const report = (count: number): void =>
    options.onProgress?.({ what: 'Drawing phantoms', done: done.size + count, total: planned.length });
  report(0);
  await drawImages(missing, {
    folder,
    seed: settings.seed,
    size: settings.size,
    onDone: report,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  throwIfCancelled(options.signal, 'Drawing phantoms');

  const truths = await Promise.all(planned.map((image) => readTruth(folder, image.name)));
  const boxes = boxTable(planned, truths);
  await writeAtomically(path.join(folder, 'truth/images.csv'), truthTable(planned, truths, splitOf));
  await writeAtomically(path.join(folder, 'BBox_List_2017.csv'), boxes.text);
  await writeAtomically(path.join(folder, 'Data_Entry_2017_v2020.csv'), entryTable(planned, truths));
  return summary(folder, planned, { kept: done.size, splitOf, pairs: boxes.pairs });
}

interface Settings {
  images: number;
  seed: number;
  size: number;
  prevalence: Prevalence;
  shortcuts: ShortcutDials;
  labelNoise: number;
}

function readOptions(options: WritePhantomOptions): Settings {
  const { train = 0, val: validation = 0, test = 0 } = options.shortcuts ?? {};
  const settings = {
    images: options.images,
    seed: options.seed,
    size: options.size ?? 256,
    prevalence: options.prevalence ?? 'nih',
    shortcuts: { train, validation, test },
    labelNoise: options.labelNoise ?? 0,
  };
  const { images, seed, size, prevalence, labelNoise } = settings;
  check(Number.isInteger(images) && images > 0 && images <= 200_000, 'number of images', images, 'a whole number from 1 to 200000');
  check(Number.isSafeInteger(seed) && seed >= 0, 'seed', seed, 'a whole number from 0');
  check(Number.isInteger(size) && size >= 32 && size <= 1024, 'size', size, 'a whole number of pixels from 32 to 1024');
  check(prevalence === 'nih' || prevalence === 'enriched', 'prevalence', prevalence, 'nih or enriched');
  for (const [split, dial] of Object.entries(settings.shortcuts))
    check(dial >= 0 && dial <= 1, `shortcut dial of ${split}`, dial, 'a number from 0 (none) to 1 (strong)');
  check(labelNoise >= 0 && labelNoise <= 0.5, 'label noise', labelNoise, 'a share from 0 to 0.5');
  return settings;
}

function check(good: boolean, what: string, value: unknown, expected: string): void {
  if (!good) throw new CxrError('BAD_INPUT', `The ${what} of a phantom is ${String(value)}; expected ${expected}.`);
}

/** What the file system says (disk full, no permission, a file in the way) as an error a person can act on; others stay what they are. */
function folderError(folder: string, error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof CxrError || !code || !syscall) return error;
  if (code === 'EEXIST' || code === 'ENOTDIR')
    return new CxrError('BAD_INPUT', `${folder} is a file; expected a folder. Name another.`, { cause: error });
  return new CxrError(
    'UNAVAILABLE',
    `${folder} cannot be written: ${message}. Make room or name another folder; what is complete is kept.`,
    { cause: error },
  );
}

/** Makes the folder this phantom's: `truth/phantom.json` says whose it is. */
async function openFolder(folder: string, marker: object): Promise<void> {
  const file = path.join(folder, 'truth/phantom.json');
  const text = `${JSON.stringify(marker, null, 2)}\n`;
  await mkdir(folder, { recursive: true });
  const before = await readFile(file, 'utf8').catch(() => null);
  if (before === null && !(await isFresh(folder))) {
    throw new CxrError('CONFLICT', `${folder} is not empty and holds no phantom. Name a new or an empty folder.`);
  }
  if (before !== null && before !== text) {
    throw new CxrError(
      'CONFLICT',
      `${folder} holds a phantom with other options (truth/phantom.json). Name another folder, or give the same options to complete it.`,
    );
  }
  await mkdir(path.join(folder, 'truth'), { recursive: true });
  if (before === null) await writeAtomically(file, text);
  for (const name of ['images', 'truth/images', 'truth/masks']) await mkdir(path.join(folder, name), { recursive: true });
}

/** Whether a folder is empty, or holds no more than a start that was cut off before its marker was written. */
async function isFresh(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  if (names.length === 0) return true;
  return names.length === 1 && names[0] === 'truth' && (await readdir(path.join(folder, 'truth'))).every((name) => name.endsWith('.part'));
}

/** Writes both lists and asks the reader how they will be split: the dials of training and validation must reach the right images. */
async function writeLists(folder: string, planned: readonly PhantomImage[]): Promise<(name: string) => Split> {
  const files = { trainValList: path.join(folder, 'train_val_list.txt'), testList: path.join(folder, 'test_list.txt') };
  for (const [file, test] of [
    [files.trainValList, false],
    [files.testList, true],
  ] as const) {
    await writeAtomically(
      file,
      planned
        .filter((image) => image.test === test)
        .map((image) => image.name)
        .join('\n'),
    );
  }
  const entries = new Map(planned.map((image) => [image.name, image]));
  const splits = await readSplits({
    ...files,
    entries: new Map([...entries].map(([name, image]) => [name, { ...image, findings: image.labels }])),
    seed: SPLIT_SEED,
  });
  return (name) => splits.get(name)!;
}

/** Names of the images whose truth and pixels are written: pixels come last, under their name only when complete. */
async function completeImages(folder: string, planned: readonly PhantomImage[]): Promise<Set<string>> {
  const [images, truths] = await Promise.all(
    ['images', 'truth/images'].map(async (name) => new Set(await readdir(path.join(folder, name)))),
  );
  return new Set(planned.map((image) => image.name).filter((name) => images!.has(name) && truths!.has(truthName(name))));
}

function truthName(image: string): string {
  return image.replace(/\.png$/, '.json');
}

async function readTruth(folder: string, name: string): Promise<ImageTruth> {
  return JSON.parse(await readFile(path.join(folder, 'truth/images', truthName(name)), 'utf8')) as ImageTruth;
}

/** One line an image: split, what really is there with its grade, shortcuts, cardiothoracic ratio. */
function truthTable(planned: readonly PhantomImage[], truths: readonly ImageTruth[], splitOf: (name: string) => Split): string {
  const lines = planned.map((image, i) => {
    const findings = image.findings.map(({ finding, grade }) => `${finding}:${grade}`).join('|');
    return [
      image.name,
      splitOf(image.name),
      findings,
      image.labels.join('|'),
      image.shortcuts.join('|'),
      truths[i]!.cardiothoracicRatio,
    ].join(',');
  });
  return `${['Image Index,Split,Findings,Labels,Shortcuts,Cardiothoracic Ratio', ...lines].join('\n')}\n`;
}

async function writeAtomically(file: string, data: string | Uint8Array): Promise<void> {
  const part = `${file}.${createHash('sha256').update(`${process.pid}`).digest('hex').slice(0, 8)}.part`;
  await writeFile(part, data);
  await rename(part, file);
}

function summary(
  folder: string,
  planned: readonly PhantomImage[],
  rest: { kept: number; splitOf: (name: string) => Split; pairs: ReadonlyMap<BoxedFinding, number> },
): WritePhantomResult {
  const splits = { train: 0, validation: 0, test: 0 };
  for (const image of planned) splits[rest.splitOf(image.name)]++;
  const count = (finding: Finding, test: boolean): number =>
    planned.filter((image) => (!test || image.test) && image.labels.includes(finding)).length;
  return {
    folder,
    images: planned.length,
    kept: rest.kept,
    patients: new Set(planned.map((image) => image.patientId)).size,
    splits,
    findings: FINDINGS.map((finding) => ({
      finding,
      images: count(finding, false),
      testImages: count(finding, true),
      boxedPairs: rest.pairs.get(finding as BoxedFinding) ?? 0,
    })),
  };
}
