import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { CxrError } from './error.ts';

/** In a folder of maps: what the values of a map's file are multiplied with, by file name. */
export const SCALES_FILE = 'scales.json';

const PowerOfTwoSchema = z.number().refine((value) => value > 0 && value === 2 ** Math.round(Math.log2(value)), 'expected a power of two');

/** `maps/scales.json`. Only maps that do not fit float16 stand here; all others are kept as they are. Absent if there are none. */
const MapScalesSchema = z.record(z.string(), PowerOfTwoSchema);

export type MapScales = z.infer<typeof MapScalesSchema>;

const FLOAT32_MAX = (2 - 2 ** -23) * 2 ** 127;

/** Reads scales.json of a folder of maps; empty if there is none. CxrError CORRUPT, UNAVAILABLE. */
export function readMapScales(folder: string): MapScales {
  const file = path.join(folder, SCALES_FILE);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new CxrError('UNAVAILABLE', `${file} cannot be read: ${message}.`, { cause });
  }
  const parsed = MapScalesSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new CxrError('CORRUPT', `${file}: ${[...issue.path, issue.message].join(': ')}. Evaluate the run again.`);
}

/** undefined for what is no JSON: no schema takes it. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The values of a map's file in its own unit; `scale` of scales.json, undefined for a map that does not stand there. */
export function scaledBack(values: Float32Array, scale: number | undefined): Float32Array {
  // rounded up, the greatest float32 would be infinite
  return scale === undefined ? values : values.map((value) => Math.min(FLOAT32_MAX, Math.max(-FLOAT32_MAX, value * scale)));
}
