import path from 'node:path';
import { CxrError, throwIfCancelled } from '../error.ts';
import type { ChosenFiles } from '../nih/files.ts';
import { type NihFolder, readNih, SPLITS, type Split } from '../nih/nih.ts';
import { preprocessingOf } from '../pixels/decode.ts';
import type { OnProgress } from '../progress.ts';
import { checkBits, type DataSetBits } from './bits.ts';
import { type BadImage, type FilledSlots, fillSlots } from './fill.ts';
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
  /** Tables and lists to read instead of those found by their names, relative to `folder` or absolute. */
  files?: ChosenFiles;
  /** Bits in use of the 16-bit files, 8 ... 16; values over them are white. Default: what the files say. */
  bits?: number;
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
  /** The tables and lists that were read. */
  files: NihFolder['files'];
  /** Images whose listed file is absent and that were read from a file of another extension. */
  otherExtension: NihFolder['otherExtension'];
  /** Bits in use of the 16-bit files; null where there is none. */
  bits: Omit<DataSetBits, 'warnings'> | null;
  warnings: string[];
  preprocessingVersion: string;
  datasetHash: string;
  splitHash: string;
  statistics: { mean: number; std: number };
}

// Journals of 0.1.0 do not know which files have 16 bits: their lines are dropped.
const JOURNAL_PREPROCESSING = 'v2';
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
  if (options.bits !== undefined) checkBits(options.bits);
  const { images: imageFolder, files, name = path.basename(path.resolve(options.folder)) } = options;
  if (Buffer.byteLength(name) > NAME_BYTES)
    throw new CxrError('BAD_INPUT', `The data set's name is longer than ${NAME_BYTES} bytes. Give it a shorter one.`);
  const source = await readNih(options.folder, {
    seed,
    ...(imageFolder && { images: imageFolder }),
    ...(files && { files }),
    ...(onProgress && { onProgress }),
  });
  throwIfCancelled(signal, 'Preparing');
  const plan = { preprocessing: JOURNAL_PREPROCESSING, size, files: source.images.map((image) => image.file) };
  const target = await openTarget({ out: path.resolve(options.out), plan, slots: source.images.length, size });
  try {
    const filled = await fillSlots(source.images, target, options);
    const { bad } = filled;
    const index = indexOf({ source, filled, size, seed });
    if (index.images.length === 0) {
      throw new CxrError('BAD_INPUT', `None of the ${bad.length} images in ${options.folder} can be read. The first: ${bad[0]!.reason}`);
    }
    const notes = { bits: filled.bits?.bits ?? null, files: source.files };
    const { header, index: json } = encodeFile(index, { name, slots: source.images.length, notes });
    await target.finish(header, json);
    return resultOf({ source, index, filled, asked: options.bits, path: target.path, header });
  } finally {
    await target.close();
  }
}

function indexOf(made: { source: NihFolder; filled: FilledSlots; size: number; seed: number }): PreparedIndex {
  const { source, size, seed } = made;
  const { lines, bits } = made.filled;
  const images: PreparedIndex['images'] = [];
  for (const [slot, { file: _file, ...image }] of source.images.entries()) {
    const line = lines[slot];
    if (line) images.push({ slot, crc32: line.crc32, ...image });
  }
  const training = images.filter((image) => image.split === 'train').map((image) => lines[image.slot]!);
  return {
    preprocessingVersion: preprocessingOf(bits?.bits ?? null),
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

function resultOf(made: {
  source: NihFolder;
  index: PreparedIndex;
  filled: FilledSlots;
  /** The bits in use by option. */
  asked: number | undefined;
  path: string;
  header: Buffer;
}): PrepareResult {
  const { source, index } = made;
  const { bad, bits } = made.filled;
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
    files: source.files,
    otherExtension: source.otherExtension,
    bits: bits && { bits: bits.bits, source: bits.source, images: bits.images, greatest: bits.greatest },
    preprocessingVersion: index.preprocessingVersion,
    warnings: [
      ...source.warnings,
      ...(bits?.warnings ?? []),
      ...(made.asked !== undefined && bits === null
        ? [`No image has 16 bits: the ${made.asked} bits in use that were asked for change nothing.`]
        : []),
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
