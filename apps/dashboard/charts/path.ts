export interface Point {
  x: number;
  y: number | null;
  low?: number | null;
  high?: number | null;
}

type Place = (value: number) => number;

const at = (x: number, y: number): string => `${round(x)},${round(y)}`;

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** SVG path through the points; a point without a value leaves a gap. */
export function linePath(points: readonly Point[], x: Place, y: Place): string {
  let path = '';
  let pen = false;
  for (const point of points) {
    if (point.y !== null) path += `${pen ? 'L' : 'M'}${at(x(point.x), y(point.y))}`;
    pen = point.y !== null;
  }
  return path;
}

/** Closed SVG path between `low` and `high`, one piece for each stretch in which both are known. */
export function bandPath(points: readonly Point[], x: Place, y: Place): string {
  const pieces: { x: number; low: number; high: number }[][] = [[]];
  for (const { x: place, low, high } of points) {
    if (low === null || low === undefined || high === null || high === undefined) pieces.push([]);
    else pieces.at(-1)!.push({ x: place, low, high });
  }
  return pieces
    .filter((piece) => piece.length > 1)
    .map((piece) => {
      const upper = piece.map((point) => at(x(point.x), y(point.high)));
      const lower = piece.map((point) => at(x(point.x), y(point.low))).reverse();
      return `M${[...upper, ...lower].join('L')}Z`;
    })
    .join('');
}

/** The last point with a value. */
export function lastPoint(points: readonly Point[]): { x: number; y: number } | null {
  const last = points.findLast((point) => point.y !== null);
  return last ? { x: last.x, y: last.y! } : null;
}

/**
 * Positions moved apart so that neighbours are at least `gap` apart and all lie in [min, max], each as near to its wish as the
 * order allows. When there is no room for all, they are spread evenly.
 */
export function spreadLabels(wishes: readonly number[], gap: number, min: number, max: number): number[] {
  const order = wishes.map((wish, index) => ({ wish, index })).sort((a, b) => a.wish - b.wish);
  const step = order.length > 1 ? Math.min(gap, (max - min) / (order.length - 1)) : 0;
  // Blocks of touching labels, each at the mean of what its members wish, merged until none overlap.
  const blocks: { members: number[]; sum: number }[] = [];
  const start = (block: { members: number[]; sum: number }): number => {
    const length = (block.members.length - 1) * step;
    return Math.min(Math.max(block.sum / block.members.length - length / 2, min), max - length);
  };
  for (const { wish, index } of order) {
    blocks.push({ members: [index], sum: wish });
    while (blocks.length > 1) {
      const last = blocks.at(-1)!;
      const before = blocks.at(-2)!;
      if (start(before) + before.members.length * step <= start(last) + 1e-9) break;
      blocks.splice(-2, 2, { members: [...before.members, ...last.members], sum: before.sum + last.sum });
    }
  }
  const placed = new Array<number>(wishes.length).fill(0);
  for (const block of blocks) for (const [order, index] of block.members.entries()) placed[index] = start(block) + order * step;
  return placed;
}
