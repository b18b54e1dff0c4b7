/** A map of numbers, row-major. */
export interface NumberMap {
  values: Float32Array;
  height: number;
  width: number;
}

/** Side of the grid on which the protocol thresholds a CAM. */
export const CAM_GRID = 224;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** A float32 map [height, width] from NumPy's NPY format, version 1 or 2. Error names what is not as expected. */
export function parseNpy(bytes: ArrayBuffer): NumberMap {
  const head = new Uint8Array(bytes, 0, Math.min(bytes.byteLength, 12));
  if (head.length < 12 || MAGIC.some((byte, index) => head[index] !== byte)) throw new Error('The map is not in NPY format.');
  const view = new DataView(bytes);
  const wide = head[6]! >= 2;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (wide ? 12 : 10) + length;
  const header = new TextDecoder('latin1').decode(new Uint8Array(bytes, wide ? 12 : 10, length));
  const shape = /'shape':\s*\((\d+),\s*(\d+),?\s*\)/.exec(header);
  if (!header.includes("'<f4'") || !header.includes('False') || !shape)
    throw new Error(`Expected a float32 map of two axes, got ${header.trim()}.`);
  const height = Number(shape[1]);
  const width = Number(shape[2]);
  return { values: new Float32Array(bytes.slice(start, start + 4 * height * width)), height, width };
}

/** Bilinear resampling with half-pixel centres, edges held: how the protocol brings a CAM to its grid. */
export function upsample({ values, height, width }: NumberMap, outHeight: number, outWidth: number): NumberMap {
  const out = new Float32Array(outHeight * outWidth);
  const columns = Array.from({ length: outWidth }, (_, column) => source(column, width / outWidth, width));
  for (let row = 0; row < outHeight; row++) {
    const y = source(row, height / outHeight, height);
    for (let column = 0; column < outWidth; column++) {
      const x = columns[column]!;
      const top = values[y.low * width + x.low]! * (1 - x.share) + values[y.low * width + x.high]! * x.share;
      const bottom = values[y.high * width + x.low]! * (1 - x.share) + values[y.high * width + x.high]! * x.share;
      out[row * outWidth + column] = top * (1 - y.share) + bottom * y.share;
    }
  }
  return { values: out, height: outHeight, width: outWidth };
}

function source(index: number, ratio: number, size: number): { low: number; high: number; share: number } {
  const at = Math.min(Math.max((index + 0.5) * ratio - 0.5, 0), size - 1);
  const low = Math.floor(at);
  return { low, high: Math.min(low + 1, size - 1), share: at - low };
}

/** Min-max scaled to 0..255; null for a constant map, which has no region. */
export function scaleTo255({ values, height, width }: NumberMap): NumberMap | null {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (!(max > min)) return null;
  const scale = 255 / (max - min);
  return { values: values.map((value) => (value - min) * scale), height, width };
}

/** Saliency: the gradient clipped at three standard deviations around zero, in [0, 1] with 0.5 = zero. */
export function scaleSaliency({ values, height, width }: NumberMap): NumberMap {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  const limit = 3 * Math.sqrt(Math.max(squares / values.length - mean * mean, 0));
  const share = (value: number): number => 0.5 + (limit > 0 ? Math.min(Math.max(value / limit, -1), 1) : Math.sign(value)) / 2;
  return { values: values.map(share), height, width };
}

/**
 * The outline of `map >= threshold` as an SVG path in the map's own cells (pixel centres at + 0.5), by marching squares with
 * interpolation; outside the map counts as below, so that every outline is closed.
 */
export function outline({ values, height, width }: NumberMap, threshold: number): string {
  // Just below every value, so that the ring outside interpolates onto the border.
  const outside = threshold - 1e-3;
  const at = (row: number, column: number): number =>
    row < 0 || column < 0 || row >= height || column >= width ? outside : values[row * width + column]!;
  let path = '';
  for (let row = -1; row < height; row++) {
    for (let column = -1; column < width; column++) {
      const corners = [at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)] as const;
      const code = corners.reduce<number>((sum, value, index) => sum + (value >= threshold ? 1 << index : 0), 0);
      for (const [from, to] of SEGMENTS[code]!) {
        path += `M${place(from, corners, row, column, threshold)}L${place(to, corners, row, column, threshold)}`;
      }
    }
  }
  return path;
}

/** Edges of a cell: 0 top, 1 right, 2 bottom, 3 left; the pairs that a border joins for each pattern of corners. */
const SEGMENTS: readonly (readonly (readonly [number, number])[])[] = [
  [],
  [[3, 0]],
  [[0, 1]],
  [[3, 1]],
  [[1, 2]],
  [
    [3, 0],
    [1, 2],
  ],
  [[0, 2]],
  [[3, 2]],
  [[2, 3]],
  [[2, 0]],
  [
    [0, 1],
    [2, 3],
  ],
  [[2, 1]],
  [[1, 3]],
  [[1, 0]],
  [[0, 3]],
  [],
];

function place(edge: number, corners: readonly [number, number, number, number], row: number, column: number, threshold: number): string {
  const a = corners[edge]!;
  const b = corners[(edge + 1) % 4]!;
  const share = a === b ? 0.5 : Math.min(Math.max((threshold - a) / (b - a), 0), 1);
  const along = edge < 2 ? share : 1 - share;
  const x = column + 0.5 + (edge === 1 ? 1 : edge === 3 ? 0 : along);
  const y = row + 0.5 + (edge === 0 ? 0 : edge === 2 ? 1 : along);
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}
