/**
 * The inputs of the reference computations in `reference/`: the same formula as `reference/formula.py`, so that only results are
 * committed. For tests only.
 */

/** Uniform in [0, 1), a multiple of 2^-32: a hash of seed and index. */
export function uniform(seed: number, index: number): number {
  let h = (Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 0) / 0x100000000;
}

export interface ScoreCase {
  seed: number;
  n: number;
  /** Scores are rounded down to multiples of 1 / levels: ties. 0: as they are. */
  levels: number;
  prevalence: number;
}

/** Scores that know something of their labels. */
export function scoreCase({ seed, n, levels, prevalence }: ScoreCase): { scores: Float64Array; labels: Uint8Array } {
  const scores = new Float64Array(n);
  const labels = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    labels[i] = uniform(seed + 1000, i) < prevalence ? 1 : 0;
    const score = (uniform(seed, i) + 0.25 * labels[i]!) / 1.25;
    scores[i] = levels > 0 ? Math.floor(score * levels) / levels : score;
  }
  return { scores, labels };
}

/** [size * size] map values, multiples of 2^-16: noise, raised where the cell's centre lies in the box by `lift` (a multiple of 2^-16). */
export function noiseMap(seed: number, { size, box, lift }: { size: number; box: BoxCase; lift: number }): Float32Array {
  const map = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const x = ((j + 0.5) * 1024) / size;
      const y = ((i + 0.5) * 1024) / size;
      const inside = x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
      map[i * size + j] = Math.floor(uniform(seed, i * size + j) * 65536) / 65536 + (inside ? lift : 0);
    }
  }
  return map;
}

interface BoxCase {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A box inside the 1024 x 1024 image, sides 64 ... 512. */
export function boxCase(seed: number): BoxCase {
  const width = 64 + Math.floor(uniform(seed, 1) * 448);
  const height = 64 + Math.floor(uniform(seed, 2) * 448);
  const x = Math.floor(uniform(seed, 3) * (1024 - width) * 8) / 8;
  const y = Math.floor(uniform(seed, 4) * (1024 - height) * 8) / 8;
  return { x, y, width, height };
}
