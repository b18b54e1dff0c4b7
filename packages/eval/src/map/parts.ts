import type { GridBox } from './region.ts';

/** One 8-connected part of a region. */
export interface RegionPart {
  /** How many pixels it has. */
  pixels: number;
  /** The smallest box around it. */
  box: GridBox;
}

/**
 * The 8-connected parts of a region (pixels touch by side or corner), in reading order of their first pixels.
 * @param inside [size, size], 1 inside
 */
export function regionParts(inside: Uint8Array, size: number): RegionPart[] {
  const parts: RegionPart[] = [];
  const seen = new Uint8Array(inside.length);
  const stack = new Int32Array(inside.length);
  for (let start = 0; start < inside.length; start++) {
    if (!inside[start] || seen[start]) continue;
    const box: GridBox = { top: size, bottom: 0, left: size, right: 0 };
    let pixels = 0;
    let depth = 1;
    stack[0] = start;
    seen[start] = 1;
    while (depth > 0) {
      const pixel = stack[--depth]!;
      const row = Math.floor(pixel / size);
      const column = pixel - row * size;
      pixels += 1;
      box.top = Math.min(box.top, row);
      box.bottom = Math.max(box.bottom, row + 1);
      box.left = Math.min(box.left, column);
      box.right = Math.max(box.right, column + 1);
      for (let r = Math.max(0, row - 1); r <= Math.min(size - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(size - 1, column + 1); c++) {
          const neighbour = r * size + c;
          if (!inside[neighbour] || seen[neighbour]) continue;
          seen[neighbour] = 1;
          stack[depth++] = neighbour;
        }
      }
    }
    parts.push({ pixels, box });
  }
  return parts;
}
