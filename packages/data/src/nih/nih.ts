import type { Box } from '../box.ts';
import { CxrError } from '../error.ts';
import type { BoxedFinding, Finding } from '../findings.ts';
import type { OnProgress } from '../progress.ts';

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
}

export interface ReadNihOptions {
  /** Of the 90/10 split of train_val by patient; default 0. */
  seed?: number;
  /** The folder of images to use, relative to the data folder, where several hold the same images. */
  images?: string;
  onProgress?: OnProgress;
}

/** Reads a folder in NIH ChestX-ray14's format. */
export async function readNih(folder: string, _options: ReadNihOptions = {}): Promise<NihFolder> {
  throw new CxrError('INTERNAL', `readNih is not there yet (${folder})`);
}
