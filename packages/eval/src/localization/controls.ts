import { type Box, random } from '@cxr-lens/data';
import { boxCells } from '../map/cells.ts';
import { GRID_SIZE } from '../map/region.ts';
import { binMap, THRESHOLD_COUNT, thresholdIous } from '../map/threshold-ious.ts';
import { localizationOfIous, pairIous } from './localization.ts';
import { nihLocalization } from './nih.ts';
import { type PairIou, singlePass } from './pairs.ts';
import { patchIous, patchLocalization } from './patches.ts';
import { NIH_PROTOCOL, PATCHES_PROTOCOL } from './protocol.ts';
import type { LocalizationControls, LocalizationOptions, LocalizationPair, OnePassOptions, PairIous } from './types.ts';

/**
 * The three curves that stand beside every run's, measured on the same pairs by the same protocol:
 * a random map (uniform noise on the map's grid, seeded per image), a centre prior (isotropic Gaussian, sigma a quarter of the width),
 * and the best union of whole cells of the map's grid, which needs no threshold. The last is a bound for regions made of whole cells:
 * a bilinear map can cut through cells and go beyond it.
 */
export function localizationControls(pairs: Iterable<LocalizationPair>, options: LocalizationOptions): LocalizationControls {
  const all = Array.from(pairs, (pair) => ({
    pair,
    random: pairIous({ ...pair, map: randomMap(pair, options.seed) }),
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
      all.map((one) => one.random),
      options,
    ),
    centre: localizationOfIous(centreIous(all.map(({ pair }) => pair)), options),
    bestReachable,
  };
}

/** The centre prior's IoUs by the paper's protocol, [256] a pair. */
export function centreIous(pairs: readonly LocalizationPair[]): PairIous[] {
  const centre = binMap(centrePrior(GRID_SIZE, GRID_SIZE), { height: GRID_SIZE, width: GRID_SIZE });
  return pairs.map(({ image, patientId, finding, box }) => ({ image, patientId, finding, ious: thresholdIous(centre, box) }));
}

/** The centre prior's IoU by the patches' protocol, one a pair. */
export function centrePatchIous(pairs: readonly LocalizationPair[]): PairIous[] {
  return patchIous(centreOfPatches(pairs));
}

function centreOfPatches(pairs: readonly LocalizationPair[]): LocalizationPair[] {
  return pairs.map((pair) => ({ ...pair, map: centrePrior(pair.height, pair.width) }));
}

/** As `localizationControls`, by protocol `nih`; best reachable is the best single box of whole cells. */
export function nihControls(pairs: readonly LocalizationPair[], options: OnePassOptions): LocalizationControls {
  const centre = centrePrior(GRID_SIZE, GRID_SIZE);
  return {
    random: nihLocalization(
      pairs.map((pair) => ({ ...pair, map: randomMap(pair, options.seed) })),
      options,
    ),
    centre: nihLocalization(
      pairs.map((pair) => ({ ...pair, map: centre, height: GRID_SIZE, width: GRID_SIZE })),
      options,
    ),
    bestReachable: singlePass(bestOf(pairs, bestBoxIou), { protocol: NIH_PROTOCOL, ...options }),
  };
}

/** As `localizationControls`, by protocol `patches`: maps on the patches' own grid; here best reachable is a bound that nothing passes. */
export function patchControls(pairs: readonly LocalizationPair[], options: OnePassOptions): LocalizationControls {
  return {
    random: patchLocalization(
      pairs.map((pair) => ({ ...pair, map: randomMap(pair, options.seed) })),
      options,
    ),
    centre: patchLocalization(centreOfPatches(pairs), options),
    bestReachable: singlePass(bestOf(pairs, bestReachableIou), { protocol: PATCHES_PROTOCOL, ...options }),
  };
}

function bestOf(pairs: readonly LocalizationPair[], best: (box: Box, map: LocalizationPair) => number): PairIou[] {
  return pairs.map((pair) => ({ image: pair.image, patientId: pair.patientId, finding: pair.finding, iou: best(pair.box, pair) }));
}

/** Uniform noise, the same for all findings of an image. */
function randomMap({ image, height, width }: LocalizationPair, seed: number): Float32Array {
  const rng = random(`control/${seed}/${image}`);
  return Float32Array.from({ length: height * width }, () => rng.next());
}

/** [height, width], 1 in the middle at most. */
function centrePrior(height: number, width: number): Float32Array {
  const sigma = 1 / 4; // of either side: the image is a square
  const map = new Float32Array(height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const squares = ((i + 0.5) / height - 0.5) ** 2 + ((j + 0.5) / width - 0.5) ** 2;
      map[i * width + j] = Math.exp(-squares / (2 * sigma ** 2));
    }
  }
  return map;
}

interface Cells {
  height: number;
  width: number;
  gridSize?: number;
}

/**
 * The highest IoU that a union of whole cells of a height x width grid reaches with the box, cells brought to the grid by nearest
 * neighbour. Exact: with a_c and o_c the cell's area inside and outside of the box, IoU = sum a / (box + sum o). At the best value v a
 * cell helps exactly when a_c - v o_c > 0, so the best set is a prefix of the cells sorted by a_c / (a_c + o_c) (Dinkelbach 1967).
 */
export function bestReachableIou(box: Box, shape: Cells): number {
  const { rows, columns, boxArea } = boxCells(box, shape);
  const cells: { inside: number; area: number }[] = [];
  for (const row of rows) for (const column of columns) cells.push({ inside: row.inside * column.inside, area: row.all * column.all });
  const useful = cells.filter(({ inside }) => inside > 0).sort((a, b) => b.inside / b.area - a.inside / a.area);
  let intersection = 0;
  let union = boxArea;
  let best = 0;
  for (const { inside, area } of useful) {
    intersection += inside;
    union += area - inside;
    best = Math.max(best, intersection / union);
  }
  return best;
}

/** The highest IoU that one rectangle of whole cells of a height x width grid reaches with the box. */
export function bestBoxIou(box: Box, shape: Cells): number {
  const { rows, columns, boxArea } = boxCells(box, shape);
  const [spansOfRows, spansOfColumns] = [usefulSpans(rows), usefulSpans(columns)];
  let best = 0;
  for (const row of spansOfRows) {
    for (const column of spansOfColumns) {
      const intersection = row.inside * column.inside;
      best = Math.max(best, intersection / (row.all * column.all + boxArea - intersection));
    }
  }
  return best;
}

/** Runs of neighbouring lines of cells that begin and end inside the box: others are never better. */
function usefulSpans(lines: readonly { all: number; inside: number }[]): { all: number; inside: number }[] {
  const inside = lines.filter((line) => line.inside > 0);
  return inside.flatMap((_, from) => {
    const span = { all: 0, inside: 0 };
    return inside.slice(from).map((line) => {
      span.all += line.all;
      span.inside += line.inside;
      return { ...span };
    });
  });
}
