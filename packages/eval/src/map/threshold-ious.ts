import { type Box, CxrError } from '@cxr-lens/data';
import { checkFinite, scaleInto } from './cam.ts';
import { GRID_SIZE, gridBox } from './region.ts';
import { upsampleBilinear } from './resample.ts';

/** Thresholds 0 ... 255. */
export const THRESHOLD_COUNT = 256;

/** A map on the grid in whole steps of its scale. */
export interface BinnedMap {
  /** [size, size]: floor of the value scaled to [0, 255]. */
  bins: Uint8Array;
  /** [256]: how many pixels have each value. */
  counts: Uint32Array;
  size: number;
}

/**
 * Brings a map to the grid bilinearly and scales it to [0, 255]. A threshold is a whole number, so value >= threshold exactly when
 * floor(value) >= threshold: the floors say all that any threshold asks.
 * @param map [height, width], any unit
 * @returns null for a constant map, which has no region
 * @throws CxrError BAD_INPUT for a map that does not fit its shape or is not finite
 */
export function binMap(map: Float32Array, { height, width, gridSize: size = GRID_SIZE }: MapShape): BinnedMap | null {
  checkFinite(map);
  const grid = upsampleBilinear(map, height, width, size, size, scratch(size));
  const scaled = scaleInto(grid, grid);
  if (!scaled) return null;
  const bins = new Uint8Array(scaled.length);
  const counts = new Uint32Array(THRESHOLD_COUNT);
  for (let i = 0; i < scaled.length; i++) {
    const bin = scaled[i]! | 0;
    bins[i] = bin;
    counts[bin]! += 1;
  }
  return { bins, counts, size };
}

/**
 * IoU of the thresholded map with the box at all 256 thresholds at once: counts of the whole map and of the box, summed from the top.
 * @returns [256]; all 0 for a constant map (null)
 */
export function thresholdIous(binned: BinnedMap | null, box: Box): Float64Array {
  const ious = new Float64Array(THRESHOLD_COUNT);
  if (!binned) return ious;
  const { bins, counts, size } = binned;
  const { left, right, top, bottom } = gridBox(box, size);
  const inside = new Uint32Array(THRESHOLD_COUNT);
  for (let row = top; row < bottom; row++) {
    for (let i = row * size + left; i < row * size + right; i++) inside[bins[i]!]! += 1;
  }
  const boxArea = (right - left) * (bottom - top);
  let area = 0;
  let intersection = 0;
  for (let threshold = THRESHOLD_COUNT - 1; threshold >= 0; threshold--) {
    area += counts[threshold]!;
    intersection += inside[threshold]!;
    ious[threshold] = intersection / (area + boxArea - intersection); // area > 0: the maximum is 255
  }
  return ious;
}

let kept = new Float32Array(0);

/** One grid kept between calls: a thousand pairs would allocate 200 MB. */
function scratch(size: number): Float32Array<ArrayBuffer> {
  if (kept.length !== size * size) kept = new Float32Array(size * size);
  return kept;
}

/** Rows and columns of a map, and the side of the grid it is scored on. */
export interface MapShape {
  height: number;
  width: number;
  gridSize?: number | undefined;
}

/** @throws CxrError BAD_INPUT when the threshold is no whole number in 0 ... 255 */
export function checkThreshold(threshold: number): void {
  if (!Number.isInteger(threshold) || threshold < 0 || threshold >= THRESHOLD_COUNT) {
    throw new CxrError('BAD_INPUT', `threshold ${threshold}: expected a whole number from 0 to 255`);
  }
}
