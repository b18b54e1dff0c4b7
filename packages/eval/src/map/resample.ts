import { CxrError } from '@cxr-lens/data';

/** For one axis: the two source cells of every output pixel and the second one's share. */
interface Taps {
  low: Int32Array;
  high: Int32Array;
  share: Float64Array;
}

/**
 * Bilinear resampling with half-pixel centres: output pixel j samples the source at (j + 0.5) * width / outWidth - 0.5, edges repeated.
 * Made for enlarging; when shrinking it samples without smoothing.
 * @param map [height, width]
 * @param out where the result goes; its length must fit
 * @returns [outHeight, outWidth]
 */
export function upsampleBilinear(
  map: Float32Array,
  height: number,
  width: number,
  outHeight: number,
  outWidth: number,
  out = new Float32Array(outHeight * outWidth),
): Float32Array {
  if (map.length !== height * width || map.length === 0) {
    throw new CxrError('BAD_INPUT', `map of ${map.length} values: expected ${height} x ${width}`);
  }
  const columns = taps(width, outWidth);
  const rows = taps(height, outHeight);
  const wide = new Float64Array(height * outWidth); // [height, outWidth]
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < outWidth; j++) {
      const left = map[i * width + columns.low[j]!]!;
      const right = map[i * width + columns.high[j]!]!;
      wide[i * outWidth + j] = left + (right - left) * columns.share[j]!;
    }
  }
  for (let i = 0; i < outHeight; i++) {
    const above = rows.low[i]! * outWidth;
    const below = rows.high[i]! * outWidth;
    const share = rows.share[i]!;
    const start = i * outWidth;
    for (let j = 0; j < outWidth; j++) {
      const top = wide[above + j]!;
      out[start + j] = top + (wide[below + j]! - top) * share;
    }
  }
  return out;
}

function taps(size: number, outSize: number): Taps {
  const result = { low: new Int32Array(outSize), high: new Int32Array(outSize), share: new Float64Array(outSize) };
  for (let j = 0; j < outSize; j++) {
    const position = Math.max(0, ((j + 0.5) * size) / outSize - 0.5);
    const low = Math.min(Math.floor(position), size - 1);
    result.low[j] = low;
    result.high[j] = Math.min(low + 1, size - 1);
    result.share[j] = position - low;
  }
  return result;
}

/** The source cell of every output pixel of one axis under nearest resampling with half-pixel centres. */
export function nearestCells(size: number, outSize: number): Int32Array {
  return Int32Array.from({ length: outSize }, (_, j) => Math.min(size - 1, Math.floor(((j + 0.5) * size) / outSize)));
}
