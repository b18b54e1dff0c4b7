import { CxrError } from '../error.ts';
import type { Finding } from '../findings.ts';
import type { KnownBox, Split } from '../nih/nih.ts';

/** One image of a prepared file; boxes stay in pixels of the published 1024 x 1024 file. */
export interface PreparedImage {
  name: string;
  patientId: string;
  followUp: number;
  age: number | null;
  sex: 'F' | 'M' | null;
  view: 'PA' | 'AP';
  split: Split;
  findings: Finding[];
  boxes: KnownBox[];
}

/** A prepared data set, memory-mapped: opening it reads the index, not the pixels. */
export interface PreparedData {
  path: string;
  /** Width and height of every image. */
  size: number;
  name: string;
  preprocessingVersion: string;
  /** SHA-256 of the index, which holds every image's CRC32: it names the whole content. */
  datasetHash: string;
  splitHash: string;
  seed: number;
  synthetic: boolean;
  images: readonly PreparedImage[];
  /** [N, 14], 0 or 1, columns as `FINDINGS`. */
  labels: Uint8Array;
  /** Of the training images' pixels in [0, 1]. */
  statistics: { mean: number; std: number };
  /** The indices of one split's images, ascending. */
  rows(split: Split): number[];
  /** [size * size] uint8, a view of the mapped file; its CRC32 is checked on every call: CORRUPT names the image. */
  pixels(index: number): Uint8Array;
  /** Unmaps the file; views handed out before must not be used any more. */
  close(): void;
}

/** Opens a prepared file. */
export async function openPrepared(path: string): Promise<PreparedData> {
  throw new CxrError('INTERNAL', `openPrepared is not there yet (${path})`);
}
