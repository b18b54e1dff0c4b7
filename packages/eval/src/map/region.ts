import { type Box, CxrError, NIH_SIZE } from '@cxr-lens/data';
import { regionParts } from './parts.ts';

/** Side of the grid on which regions and boxes are compared (the networks' input). */
export const GRID_SIZE = 224;

/**
 * The part of a size x size grid that belongs to a box, 1 inside: pixels whose centre, taken back to the original's pixels
 * ((j + 0.5) * 1024 / size), lies in [x, x + width) x [y, y + height).
 * @returns [size, size]
 */
export function boxRegion(box: Box, size = GRID_SIZE): Uint8Array {
  const { left, right, top, bottom } = gridBox(box, size);
  const inside = new Uint8Array(size * size);
  for (let row = top; row < bottom; row++) inside.fill(1, row * size + left, row * size + right);
  return inside;
}

/** Half-open ranges of grid rows and columns. */
export interface GridBox {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** As `boxRegion`, as ranges. */
export function gridBox({ x, y, width, height }: Box, size = GRID_SIZE): GridBox {
  const first = (edge: number) => {
    let j = Math.max(0, Math.floor((edge * size) / NIH_SIZE - 0.5) - 1);
    while (j < size && ((j + 0.5) * NIH_SIZE) / size < edge) j++;
    return j;
  };
  return { left: first(x), right: first(x + width), top: first(y), bottom: first(y + height) };
}

/** Region of a map scaled to [0, 255]: 1 where value >= threshold. */
export function region(scaled: Float32Array, threshold: number): Uint8Array {
  return Uint8Array.from(scaled, (value) => (value >= threshold ? 1 : 0));
}

/** Intersection over union of two regions of one grid; 0 when both are empty. */
export function iou(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new CxrError('BAD_INPUT', `regions of ${a.length} and ${b.length} pixels: expected one grid`);
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.length; i++) {
    both += a[i]! & b[i]!;
    either += a[i]! | b[i]!;
  }
  return either > 0 ? both / either : 0;
}

/**
 * Bounding box of the largest 8-connected part of a region, the first in reading order among equals.
 * @param inside [size, size], 1 inside
 * @returns pixels of the 1024 x 1024 file; null for an empty region
 */
export function regionBox(inside: Uint8Array, size = GRID_SIZE): Box | null {
  const [first, ...others] = regionParts(inside, size);
  if (!first) return null;
  const { box } = others.reduce((largest, part) => (part.pixels > largest.pixels ? part : largest), first);
  const scale = NIH_SIZE / size;
  return {
    x: box.left * scale,
    y: box.top * scale,
    width: (box.right - box.left) * scale,
    height: (box.bottom - box.top) * scale,
  };
}
