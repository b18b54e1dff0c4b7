import { type Box, CxrError } from '@cxr-lens/data';
import { checkFinite, rangeOf, scaledValue } from './cam.ts';
import { GRID_SIZE, gridBox } from './region.ts';
import { upsampleBilinear } from './resample.ts';

/** Thresholds 0 ... 255. */
export const THRESHOLD_COUNT = 256;

/**
 * IoU of the thresholded map with the box at all 256 thresholds at once: histograms of the scaled map inside and outside of the box,
 * summed from the top. A threshold is a whole number, so value >= threshold exactly when floor(value) >= threshold.
 * @param map [height, width], any unit, brought to the grid bilinearly and scaled to [0, 255]
 * @returns [256]; all 0 for a constant map
 */
export function thresholdIous(map: Float32Array, { height, width, box, gridSize = GRID_SIZE }: MapShape & { box: Box }): Float64Array {
  const ious = new Float64Array(THRESHOLD_COUNT);
  checkFinite(map);
  const grid = upsampleBilinear(map, height, width, gridSize, gridSize, scratch(gridSize));
  const range = rangeOf(grid);
  if (!range) return ious;
  const { left, right, top, bottom } = gridBox(box, gridSize);
  const all = new Uint32Array(THRESHOLD_COUNT);
  for (let i = 0; i < grid.length; i++) all[scaledValue(grid[i]!, range) | 0]! += 1;
  const inside = new Uint32Array(THRESHOLD_COUNT);
  for (let row = top; row < bottom; row++) {
    for (let i = row * gridSize + left; i < row * gridSize + right; i++) inside[scaledValue(grid[i]!, range) | 0]! += 1;
  }
  const boxArea = (right - left) * (bottom - top);
  let area = 0;
  let intersection = 0;
  for (let threshold = THRESHOLD_COUNT - 1; threshold >= 0; threshold--) {
    area += all[threshold]!;
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
