import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type BoxedFinding, CxrError, decodeNpy, encodeNpy, type MapScales, SCALES_FILE, scaledBack, syncFolderSync } from '@cxr-lens/data';
import { writeAtomic } from './run-folder.ts';

/** From here on a number is rounded to infinity in float16. */
const TOO_GREAT = 65_520;

/** The least number that float16 holds with all its digits. */
const SMALLEST_NORMAL = 2 ** -14;

/** Where the greatest value of a scaled map lies: 2^14 to 2^15, so that all that is seen beside it keeps its digits. */
const TOP_EXPONENT = 14;

interface KeptMap {
  image: string;
  finding: BoxedFinding;
}

/** The file of a pair's map. */
export const mapName = ({ image, finding }: KeptMap): string => `${path.parse(image).name}.${finding}.npy`;

/**
 * Keeps one raw map (CAM, patch scores, or Generative's difference) as float16 and returns what a reader of the file will see: the curves
 * come from the files. A map that does not fit is divided by a power of two first, `scale`, which `keepMaps` writes beside it; no region
 * changes, as each is of the map scaled to [0, 255].
 * CxrError BAD_INPUT for a map with infinite or undefined values.
 * @returns scale: undefined for a map that is kept as it is
 */
export function writeMap(
  folder: string,
  { image, finding, map, height, width }: KeptMap & { map: Float32Array; height: number; width: number },
): { stored: Float32Array; scale: number | undefined } {
  const broken = map.find((value) => !Number.isFinite(value));
  if (broken !== undefined) {
    throw new CxrError(
      'BAD_INPUT',
      `The ${finding} map of ${image} holds ${broken}: this network's numbers exceed float32. Train the run longer, or with a smaller learningRate.`,
    );
  }
  const scale = scaleOf(map);
  const bytes = encodeNpy(scale === undefined ? map : map.map((value) => value / scale), [height, width], 'float16');
  mkdirSync(folder, { recursive: true });
  // Thousands of maps share one flush of their folder: `keepMaps`.
  writeAtomic(path.join(folder, mapName({ image, finding })), bytes, { syncFolder: false });
  return { stored: scaledBack(decodeNpy(bytes, image).data as Float32Array, scale), scale };
}

/**
 * The power of two that a map is divided by: undefined if float16 holds it, which is if its greatest magnitude is a normal number there. Smaller
 * maps would lose their digits, and with them regions.
 */
function scaleOf(map: Float32Array): number | undefined {
  let greatest = 0;
  for (const value of map) greatest = Math.max(greatest, Math.abs(value));
  if (greatest === 0 || (greatest >= SMALLEST_NORMAL && greatest < TOO_GREAT)) return undefined;
  return 2 ** (Math.floor(Math.log2(greatest)) - TOP_EXPONENT);
}

/**
 * Writes the scales of the maps, removes what another evaluation, interrupted or on other data, left in the folder, and makes the names of
 * all maps durable; to be called before the file that says they are there. An evaluation that is stopped before this leaves maps without their scale; it is not finished, and the next one writes all of them again.
 */
export function keepMaps(folder: string, pairs: readonly KeptMap[], scales: MapScales): void {
  if (!existsSync(folder)) return;
  const kept = new Set(pairs.map(mapName));
  if (Object.keys(scales).length > 0) {
    writeAtomic(path.join(folder, SCALES_FILE), `${JSON.stringify(scales, null, 2)}\n`);
    kept.add(SCALES_FILE);
  }
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(path.join(folder, name), { recursive: true, force: true });
  syncFolderSync(folder);
}
