import { type Box, random } from '@cxr-lens/data';
import { GRID_SIZE, gridBox } from '../map/region.ts';
import { nearestCells } from '../map/resample.ts';
import { binMap, THRESHOLD_COUNT, thresholdIous } from '../map/threshold-ious.ts';
import { localizationOfIous, pairIous } from './localization.ts';
import type { LocalizationControls, LocalizationOptions, LocalizationPair } from './types.ts';

/**
 * The three curves that stand beside every run's, measured on the same pairs by the same protocol:
 * a random map (uniform noise on the map's grid, seeded per image), a centre prior (isotropic Gaussian, sigma a quarter of the width),
 * and the best union of whole cells of the map's grid, which needs no threshold. The last is a bound for regions made of whole cells:
 * a bilinear map can cut through cells and go beyond it.
 */
export function localizationControls(pairs: Iterable<LocalizationPair>, options: LocalizationOptions): LocalizationControls {
  const centre = binMap(centrePrior(GRID_SIZE), { height: GRID_SIZE, width: GRID_SIZE });
  const all = Array.from(pairs, (pair) => ({
    random: pairIous({ ...pair, map: randomMap(pair, options.seed) }),
    centre: { ...pair, ious: thresholdIous(centre, pair.box) },
    best: { ...pair, ious: new Float64Array(THRESHOLD_COUNT).fill(bestReachableIou(pair.box, pair)) },
  }));
  const bestReachable = localizationOfIous(
    all.map(({ best }) => best),
    options,
  );
  for (const curve of Object.values(bestReachable.findings)) {
    // it knows the box: its folds are the others', but there is no threshold
    curve.threshold = null;
    curve.foldThresholds.fill(null);
  }
  return {
    random: localizationOfIous(
      all.map((pair) => pair.random),
      options,
    ),
    centre: localizationOfIous(
      all.map((pair) => pair.centre),
      options,
    ),
    bestReachable,
  };
}

/** Uniform noise, the same for all findings of an image. */
function randomMap({ image, height, width }: LocalizationPair, seed: number): Float32Array {
  const rng = random(`control/${seed}/${image}`);
  return Float32Array.from({ length: height * width }, () => rng.next());
}

function centrePrior(size: number): Float32Array {
  const sigma = size / 4;
  const map = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const squares = (i + 0.5 - size / 2) ** 2 + (j + 0.5 - size / 2) ** 2;
      map[i * size + j] = Math.exp(-squares / (2 * sigma ** 2));
    }
  }
  return map;
}

/**
 * The highest IoU that a union of whole cells of a height x width grid reaches with the box, cells brought to the grid by nearest
 * neighbour. Exact: with a_c and o_c the cell's area inside and outside of the box, IoU = sum a / (box + sum o). At the best value v a
 * cell helps exactly when a_c - v o_c > 0, so the best set is a prefix of the cells sorted by a_c / (a_c + o_c) (Dinkelbach 1967).
 */
export function bestReachableIou(
  box: Box,
  { height, width, gridSize = GRID_SIZE }: { height: number; width: number; gridSize?: number },
): number {
  const { left, right, top, bottom } = gridBox(box, gridSize);
  const rows = axisShares({ cells: nearestCells(height, gridSize), from: top, to: bottom, count: height });
  const columns = axisShares({ cells: nearestCells(width, gridSize), from: left, to: right, count: width });
  const cells: { inside: number; area: number }[] = [];
  for (const row of rows) for (const column of columns) cells.push({ inside: row.inside * column.inside, area: row.all * column.all });
  const useful = cells.filter(({ inside }) => inside > 0).sort((a, b) => b.inside / b.area - a.inside / a.area);
  let intersection = 0;
  let union = (right - left) * (bottom - top);
  let best = 0;
  for (const { inside, area } of useful) {
    intersection += inside;
    union += area - inside;
    best = Math.max(best, intersection / union);
  }
  return best;
}

/** Per cell of one axis: how many grid lines it covers, and how many of them in [from, to). */
function axisShares({
  cells,
  from,
  to,
  count,
}: {
  cells: Int32Array;
  from: number;
  to: number;
  count: number;
}): { all: number; inside: number }[] {
  const shares = Array.from({ length: count }, () => ({ all: 0, inside: 0 }));
  for (const [line, cell] of cells.entries()) {
    shares[cell]!.all += 1;
    if (line >= from && line < to) shares[cell]!.inside += 1;
  }
  return shares;
}
