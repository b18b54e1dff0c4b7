import path from 'node:path';
import { CxrError, throwIfCancelled } from '../error.ts';
import { type NihFolder, readNih, SPLITS, type Split } from '../nih/nih.ts';
import { PREPROCESSING_VERSION } from '../pixels/decode.ts';
import type { OnProgress } from '../progress.ts';
import { type BadImage, fillSlots } from './fill.ts';
import { encodeFile, NAME_BYTES, type PreparedIndex } from './format.ts';
import type { JournalLine } from './journal.ts';
import { openTarget } from './target.ts';

export interface PrepareOptions {
  /** A folder in NIH format. */
  folder: string;
  /** The prepared file to write. */
  out: string;
  /** Width and height of the prepared images, e.g. 224. */
  size: number;
  /** Of the 90/10 split of train_val by patient; default 0. */
  seed?: number;
  /** The folder of images to use, relative to `folder`, where several hold the same images. */
  images?: string;
  /** The data set's name; default the folder's. */
  name?: string;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export interface PrepareResult {
  /** Absolute. */
  path: string;
  /** Phantoms, no radiographs. */
  synthetic: boolean;
  images: number;
  counts: Record<Split, number>;
  /** Boxes of the images that are in the file. */
  boxes: number;
  /** Images that could not be read, left out. */
  bad: BadImage[];
  /** Listed in the table, but not on this disk. */
  missing: number;
  listed: number;
  warnings: string[];
  datasetHash: string;
  splitHash: string;
  statistics: { mean: number; std: number };
}

const SMALLEST = 8;
const LARGEST = 2048;

/**
 * Decodes a folder in NIH format once into one packed file: all cores, resumable after a kill, atomic at the end. The same folder and
 * options give the same bytes, interrupted or not. Wrong structure stops with BAD_INPUT; an image that cannot be read is listed and left
 * out. CANCELLED and UNAVAILABLE (no disk space) keep what is done: the same call goes on there. CONFLICT when `out` holds something else.
 */
export async function prepare(options: PrepareOptions): Promise<PrepareResult> {
  const { size, seed = 0, onProgress, signal } = options;
  if (!Number.isInteger(size) || size < SMALLEST || size > LARGEST) {
    throw new CxrError('BAD_INPUT', `The size of the prepared images is ${size}; expected a whole number of ${SMALLEST} ... ${LARGEST}.`);
  }
  if (!Number.isInteger(seed)) throw new CxrError('BAD_INPUT', `The seed is ${seed}; expected a whole number.`);
  const { images: imageFolder, name = path.basename(path.resolve(options.folder)) } = options;
  if (Buffer.byteLength(name) > NAME_BYTES)
    throw new CxrError('BAD_INPUT', `The data set's name is longer than ${NAME_BYTES} bytes. Give it a shorter one.`);
  const source = await readNih(options.folder, { seed, ...(imageFolder && { images: imageFolder }), ...(onProgress && { onProgress }) });
  throwIfCancelled(signal, 'Preparing');
  const plan = { preprocessing: PREPROCESSING_VERSION, size, files: source.images.map((image) => image.file) };
  const target = await openTarget({ out: path.resolve(options.out), plan, slots: source.images.length, size });
  try {
    const { lines, bad } = await fillSlots(source.images, target, options);
    const index = indexOf({ source, lines, size, seed });
    if (index.images.length === 0) {
      throw new CxrError('BAD_INPUT', `None of the ${bad.length} images in ${options.folder} can be read. The first: ${bad[0]!.reason}`);
    }
    const { header, index: json } = encodeFile(index, { name, slots: source.images.length });
    await target.finish(header, json);
    return resultOf({ source, index, bad, path: target.path, header });
  } finally {
    await target.close();
  }
}

function indexOf(made: { source: NihFolder; lines: readonly (JournalLine | undefined)[]; size: number; seed: number }): PreparedIndex {
  const { source, lines, size, seed } = made;
  const images: PreparedIndex['images'] = [];
  for (const [slot, { file: _file, ...image }] of source.images.entries()) {
    const line = lines[slot];
    if (line) images.push({ slot, crc32: line.crc32, ...image });
  }
  const training = images.filter((image) => image.split === 'train').map((image) => lines[image.slot]!);
  return {
    preprocessingVersion: PREPROCESSING_VERSION,
    size,
    seed,
    splitHash: source.splitHash,
    synthetic: source.synthetic,
    statistics: statisticsOf(training, size * size),
    images,
  };
}

/** Mean and population standard deviation of all training pixels in [0, 1]; 0 and 1 without training images: nothing to normalise by. */
function statisticsOf(lines: readonly JournalLine[], area: number): { mean: number; std: number } {
  const count = lines.length * area;
  if (count === 0) return { mean: 0, std: 1 };
  // Sums of whole numbers below 2^53: exact, so their order does not matter.
  const mean = lines.reduce((total, line) => total + line.sum, 0) / count;
  const variance = lines.reduce((total, line) => total + line.squares, 0) / count - mean * mean;
  return { mean: mean / 255, std: Math.sqrt(Math.max(0, variance)) / 255 };
}

function resultOf(made: { source: NihFolder; index: PreparedIndex; bad: BadImage[]; path: string; header: Buffer }): PrepareResult {
  const { source, index, bad } = made;
  const count = (split: Split): number => index.images.filter((image) => image.split === split).length;
  const counts = { train: count('train'), validation: count('validation'), test: count('test') };
  const empty = SPLITS.filter((split) => counts[split] === 0);
  return {
    path: made.path,
    synthetic: index.synthetic,
    images: index.images.length,
    counts,
    boxes: index.images.reduce((sum, image) => sum + image.boxes.length, 0),
    bad,
    missing: source.missing,
    listed: source.listed,
    warnings: [
      ...source.warnings,
      ...empty.map((split) => `No image of the ${split} split is here.`),
      ...(index.statistics.std === 0
        ? ['All pixels of the training images are the same: nothing can be learned from them. Look at the images.']
        : []),
    ],
    datasetHash: made.header.subarray(40, 72).toString('hex'),
    splitHash: index.splitHash,
    statistics: index.statistics,
  };
}
