import type { Box } from '@cxr-lens/data';
import { GRID_SIZE, gridBox } from './region.ts';
import { nearestCells } from './resample.ts';

/** Rows or columns of the grid that one row or column of cells covers, brought there by nearest neighbour. */
interface AxisShare {
  all: number;
  /** Of these, how many the box covers. */
  inside: number;
}

/** A box seen by a coarse map: cell (i, j) covers rows[i].all * columns[j].all pixels, rows[i].inside * columns[j].inside of them in the box. */
export interface BoxCells {
  /** [height] */
  rows: AxisShare[];
  /** [width] */
  columns: AxisShare[];
  /** Pixels of the box on the grid. */
  boxArea: number;
}

/** A box of the original's pixels over the cells of a height x width map. */
export function boxCells(
  box: Box,
  { height, width, gridSize = GRID_SIZE }: { height: number; width: number; gridSize?: number },
): BoxCells {
  const { left, right, top, bottom } = gridBox(box, gridSize);
  return {
    rows: axisShares(nearestCells(height, gridSize), { from: top, to: bottom, count: height }),
    columns: axisShares(nearestCells(width, gridSize), { from: left, to: right, count: width }),
    boxArea: (right - left) * (bottom - top),
  };
}

/** @param cells the cell of every line of the grid */
function axisShares(cells: Int32Array, { from, to, count }: { from: number; to: number; count: number }): AxisShare[] {
  const shares = Array.from({ length: count }, () => ({ all: 0, inside: 0 }));
  for (const [line, cell] of cells.entries()) {
    shares[cell]!.all += 1;
    if (line >= from && line < to) shares[cell]!.inside += 1;
  }
  return shares;
}
