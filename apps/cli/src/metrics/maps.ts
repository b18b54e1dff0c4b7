import { readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  type BoxedFinding,
  CxrError,
  findingNamed,
  isBoxedFinding,
  type KnownBox,
  type NpyArray,
  readBoxes,
  readNpy,
} from '@cxr-lens/data';
import { type PairIous, pairIous } from '@cxr-lens/eval';
import { baseName } from './images.ts';
import { nihPatient, patientReader } from './patients.ts';

/** What a folder of maps and a box list have in common. */
export interface MeasuredMaps {
  pairs: PairIous[];
  /** Boxes of the list that have no map here. */
  missing: string[];
  /** Maps that have no box in the list. */
  unused: number;
  /** Maps of findings that no box list marks, by the finding as the file's name has it. */
  unboxed: Record<string, number>;
  /** Whose resampling the intervals are of: all pairs have a known patient, or some image counts as a patient of its own. */
  unit: 'patients' | 'images';
}

export interface MapsRequest {
  maps: string;
  boxes: string;
  /** A column of the boxes, or a file. */
  patients?: string | undefined;
}

/**
 * Measures each map `<image>.<Finding>.npy` ([height, width]) against its box, one file at a time. Images are matched by base name.
 * @throws CxrError BAD_INPUT for a file name without a finding, two maps or boxes of one image and finding, another shape, values that
 * are not finite, or no pair at all
 */
export async function measureMaps({ maps, boxes, patients }: MapsRequest): Promise<MeasuredMaps> {
  const known = await readBoxes(boxes);
  const { files, unboxed } = await mapFiles(maps);
  const patientOf = patients === undefined ? null : await patientReader(patients, boxes);
  const pairs: PairIous[] = [];
  const missing: string[] = [];
  const taken = new Map<string, string>();
  for (const { image, finding, box } of boxesOf(known)) {
    const key = keyOf(baseName(image), finding);
    const file = files.get(key);
    if (!file) {
      missing.push(`${image} ${finding}`);
      continue;
    }
    const other = taken.get(key);
    if (other !== undefined) {
      const both = `the ${finding} boxes of ${other} and ${image} in ${boxes}`;
      throw new CxrError('BAD_INPUT', `${file} is ambiguous: it belongs to ${both}. Remove one of the two boxes.`);
    }
    taken.set(key, image);
    const patientId = patientOf ? patientOf(image) : (nihPatient(image) ?? image);
    pairs.push(pairIous({ image, patientId, finding, box, ...(await readMap(file)) }));
  }
  if (pairs.length === 0) {
    throw new CxrError('BAD_INPUT', `no map in ${maps} belongs to a box of ${boxes}: expected files like ${exampleName(known)}.`);
  }
  const unit = patientOf || pairs.every(({ image }) => nihPatient(image) !== null) ? 'patients' : 'images';
  return { pairs, missing, unused: files.size - pairs.length, unboxed, unit };
}

function boxesOf(known: ReadonlyMap<string, readonly KnownBox[]>): (KnownBox & { image: string })[] {
  return [...known].flatMap(([image, list]) => list.map((box) => ({ image, ...box })));
}

const keyOf = (stem: string, finding: string) => `${stem}\n${finding}`;

function exampleName(known: ReadonlyMap<string, readonly KnownBox[]>): string {
  const [first] = boxesOf(known);
  return `${baseName(first?.image ?? '00000001_000')}.${first?.finding ?? 'Atelectasis'}.npy`;
}

async function mapFiles(folder: string): Promise<{ files: Map<string, string>; unboxed: Record<string, number> }> {
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.npy')).sort();
  if (names.length === 0)
    throw new CxrError('BAD_INPUT', `The folder ${folder} holds no .npy file: expected maps like 00000001_000.Mass.npy.`);
  const files = new Map<string, string>();
  const unboxed = new Map<string, number>();
  for (const name of names) {
    const { stem, text, finding } = parseName(path.join(folder, name));
    if (!finding) {
      unboxed.set(text, (unboxed.get(text) ?? 0) + 1);
      continue;
    }
    const key = keyOf(stem, finding);
    const other = files.get(key);
    if (other !== undefined) {
      const both = `${path.basename(other)} and ${name}`;
      throw new CxrError('BAD_INPUT', `${folder} holds two ${finding} maps of ${stem}: ${both}. Remove one.`);
    }
    files.set(key, path.join(folder, name));
  }
  return { files, unboxed: Object.fromEntries(unboxed) };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = absent ? 'does not exist' : `cannot be read: ${(cause as Error).message}`;
    throw new CxrError(absent ? 'NOT_FOUND' : 'BAD_INPUT', `The folder ${folder} ${reason}. Check the path.`, { cause });
  }
}

/** `finding` is null where no box list marks it. */
function parseName(file: string): { stem: string; text: string; finding: BoxedFinding | null } {
  const [, stem, text] = /^(.+)\.([^.]+)\.npy$/.exec(path.basename(file)) ?? [];
  if (!stem || !text || baseName(path.basename(file, '.npy')) === stem)
    throw new CxrError('BAD_INPUT', `${file}: expected a name like 00000001_000.Mass.npy.`);
  const finding = findingNamed(text);
  return { stem: baseName(stem), text: finding ?? text, finding: finding && isBoxedFinding(finding) ? finding : null };
}

async function readMap(file: string): Promise<{ map: Float32Array; height: number; width: number }> {
  const { shape, data } = await readNpy(file);
  const [height, width] = shape;
  if (shape.length !== 2 || !height || !width) {
    throw new CxrError('BAD_INPUT', `${file} has the shape [${shape.join(', ')}]: expected [height, width].`);
  }
  return { map: singlePrecision(data), height, width };
}

/** Beyond these, rounding to float32 would merge values that a map's 256 levels tell apart, or lose the map. */
const [LARGEST, SMALLEST_RANGE, RANGE_OF_LARGEST] = [1e30, 1e-30, 1 / 1024];

/**
 * The map in float32. A float64 map that float32 would flatten (1,000,000 and tiny differences, 1e-60, 1e300) is first brought to [0, 1]:
 * the protocol scales every map by its own minimum and maximum, so that no region changes.
 */
function singlePrecision(data: NpyArray['data']): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Uint8Array || data.every((value) => Math.fround(value) === value)) return Float32Array.from(data);
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) return Float32Array.from(data); // refused by name where it is measured
  if (low === high) return new Float32Array(data.length);
  const largest = Math.max(-low, high);
  const halfRange = high / 2 - low / 2; // the whole may overflow
  if (largest < LARGEST && halfRange > SMALLEST_RANGE && halfRange > largest * RANGE_OF_LARGEST) return Float32Array.from(data);
  return Float32Array.from(data, (value) => (value / 2 - low / 2) / halfRange);
}
