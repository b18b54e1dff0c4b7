import { type Box, CxrError, NIH_SIZE } from '@cxr-lens/data';

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
  const seen = new Uint8Array(inside.length);
  const stack = new Int32Array(inside.length);
  let largest = 0;
  let best: GridBox | null = null;
  for (let start = 0; start < inside.length; start++) {
    if (!inside[start] || seen[start]) continue;
    let depth = 1;
    let count = 0;
    const part: GridBox = { top: size, bottom: 0, left: size, right: 0 };
    stack[0] = start;
    seen[start] = 1;
    while (depth > 0) {
      const pixel = stack[--depth]!;
      const row = Math.floor(pixel / size);
      const column = pixel - row * size;
      count += 1;
      part.top = Math.min(part.top, row);
      part.bottom = Math.max(part.bottom, row + 1);
      part.left = Math.min(part.left, column);
      part.right = Math.max(part.right, column + 1);
      for (let r = Math.max(0, row - 1); r <= Math.min(size - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(size - 1, column + 1); c++) {
          const neighbour = r * size + c;
          if (!inside[neighbour] || seen[neighbour]) continue;
          seen[neighbour] = 1;
          stack[depth++] = neighbour;
        }
      }
    }
    if (count > largest) {
      largest = count;
      best = part;
    }
  }
  if (!best) return null;
  const scale = NIH_SIZE / size;
  return {
    x: best.left * scale,
    y: best.top * scale,
    width: (best.right - best.left) * scale,
    height: (best.bottom - best.top) * scale,
  };
}
