import { CxrError } from '../error.ts';
import type { Split } from '../nih/nih.ts';
import type { OnProgress } from '../progress.ts';

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
  path: string;
  images: number;
  counts: Record<Split, number>;
  boxes: number;
  /** Images that could not be read, left out. */
  bad: { name: string; reason: string }[];
  /** Listed in the table, but not on this disk. */
  missing: number;
  listed: number;
  warnings: string[];
  datasetHash: string;
  splitHash: string;
  statistics: { mean: number; std: number };
}

/** Decodes a folder in NIH format once into one packed file. */
export async function prepare(options: PrepareOptions): Promise<PrepareResult> {
  throw new CxrError('INTERNAL', `prepare is not there yet (${options.folder})`);
}
