import { readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  type BoxedFinding,
  CxrError,
  type Finding,
  isBoxedFinding,
  parseFinding,
  readBoxes,
  readMapScales,
  readNpy,
  scaledBack,
} from '@cxr-lens/data';
import { type PairIous, pairIous } from '@cxr-lens/eval';

/** What a folder of maps and a box list have in common. */
export interface MeasuredMaps {
  pairs: PairIous[];
  /** Boxes of the list that have no map here. */
  missing: string[];
  /** Maps that have no box in the list. */
  unused: number;
}

/**
 * Measures each map `<image without .png>.<Finding>.npy` ([height, width]) against its box, one file at a time.
 * @throws CxrError BAD_INPUT for a file name without a boxed finding, another shape, values that are not finite, or no pair at all
 */
export async function measureMaps({ maps, boxes }: { maps: string; boxes: string }): Promise<MeasuredMaps> {
  const known = await readBoxes(boxes);
  const files = await mapFiles(maps);
  const scales = readMapScales(maps);
  const pairs: PairIous[] = [];
  const missing: string[] = [];
  for (const [image, list] of known) {
    for (const { finding, box } of list) {
      const key = keyOf(image.replace(/\.png$/i, ''), finding);
      const file = files.get(key);
      if (!file) {
        missing.push(`${image} ${finding}`);
        continue;
      }
      files.delete(key);
      const map = await readMap(file, scales[path.basename(file)]);
      pairs.push(pairIous({ image, patientId: patientOf(image), finding, box, ...map }));
    }
  }
  if (pairs.length === 0) {
    throw new CxrError('BAD_INPUT', `no map in ${maps} belongs to a box of ${boxes}: expected files like ${exampleName(missing)}.`);
  }
  return { pairs, missing, unused: files.size };
}

const keyOf = (stem: string, finding: string) => `${stem}\n${finding}`;

function exampleName(missing: readonly string[]): string {
  const [image = '00000001_000.png', finding = 'Atelectasis'] = missing[0]?.split(' ') ?? [];
  return `${image.replace(/\.png$/i, '')}.${finding}.npy`;
}

async function mapFiles(folder: string): Promise<Map<string, string>> {
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.npy')).sort();
  if (names.length === 0)
    throw new CxrError('BAD_INPUT', `The folder ${folder} holds no .npy file: expected maps like 00000001_000.Mass.npy.`);
  const files = new Map<string, string>();
  for (const name of names) {
    const { stem, finding } = parseName(path.join(folder, name));
    const key = keyOf(stem, finding);
    if (files.has(key)) throw new CxrError('BAD_INPUT', `${folder} holds two ${finding} maps of ${stem}. Remove one.`);
    files.set(key, path.join(folder, name));
  }
  return files;
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

function parseName(file: string): { stem: string; finding: BoxedFinding } {
  const [, stem, text] = /^(.+)\.([^.]+)\.npy$/.exec(path.basename(file)) ?? [];
  if (!stem || !text) throw new CxrError('BAD_INPUT', `${file}: expected a name like 00000001_000.Mass.npy.`);
  const finding = findingOf(file, text);
  if (!isBoxedFinding(finding)) throw new CxrError('BAD_INPUT', `${file}: no box list marks ${finding}. Remove the map.`);
  return { stem: stem.replace(/\.png$/i, ''), finding };
}

function findingOf(file: string, text: string): Finding {
  try {
    return parseFinding(text);
  } catch (error) {
    throw new CxrError('BAD_INPUT', `${file}: ${(error as CxrError).message} Rename the map.`, { cause: error });
  }
}

async function readMap(file: string, scale: number | undefined): Promise<{ map: Float32Array; height: number; width: number }> {
  const { shape, data } = await readNpy(file);
  const [height, width] = shape;
  if (shape.length !== 2 || !height || !width) {
    throw new CxrError('BAD_INPUT', `${file} has the shape [${shape.join(', ')}]: expected [height, width].`);
  }
  return { map: scaledBack(data instanceof Float32Array ? data : Float32Array.from(data), scale), height, width };
}

/** NIH names an image `<patient>_<number>.png`; any other name counts as a patient of its own. */
function patientOf(image: string): string {
  return /^(\d+)_\d+\.png$/i.exec(image)?.[1] ?? image;
}
