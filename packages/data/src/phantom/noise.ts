import type { Random } from '../random.ts';

/** A smooth random field over the plane: value(u, v) is about [-1, 1], with structures of `scale` mm. */
export type Noise = (u: number, v: number) => number;

const CELLS = 32;

/** Value noise: `octaves` layers of random numbers on grids of scale, scale / 2, ..., interpolated smoothly, each 0.55 of the one before. */
export function valueNoise(random: Random, scale: number, octaves = 3): Noise {
  const grids: Float32Array[] = [];
  const shifts: number[] = [];
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    const grid = new Float32Array(CELLS * CELLS);
    for (let i = 0; i < grid.length; i++) grid[i] = 2 * random.next() - 1;
    grids.push(grid);
    shifts.push(random.next() * CELLS, random.next() * CELLS);
    total += 0.55 ** octave;
  }
  const gain = 1.6 / total; // value noise rarely reaches its bounds
  return (u, v) => {
    let sum = 0;
    let frequency = 1 / scale;
    let amplitude = gain;
    for (let octave = 0; octave < octaves; octave++) {
      const grid = grids[octave]!;
      const x = u * frequency + shifts[2 * octave]!;
      const y = v * frequency + shifts[2 * octave + 1]!;
      const xf = Math.floor(x);
      const yf = Math.floor(y);
      const xi = xf & (CELLS - 1);
      const yi = (yf & (CELLS - 1)) * CELLS;
      const xj = (xi + 1) & (CELLS - 1);
      const yj = (yi + CELLS) & (CELLS * CELLS - 1);
      const fx = x - xf;
      const fy = y - yf;
      const tx = fx * fx * (3 - 2 * fx);
      const ty = fy * fy * (3 - 2 * fy);
      const a = grid[yi + xi]!;
      const b = grid[yi + xj]!;
      const c = grid[yj + xi]!;
      const d = grid[yj + xj]!;
      const top = a + (b - a) * tx;
      sum += amplitude * (top + (c + (d - c) * tx - top) * ty);
      frequency *= 2;
      amplitude *= 0.55;
    }
    return sum;
  };
}

/** 0 below `from`, 1 above `to`, smooth between (either order). */
export function smoothstep(from: number, to: number, x: number): number {
  let t = (x - from) / (to - from);
  t = t < 0 ? 0 : t > 1 ? 1 : t;
  return t * t * (3 - 2 * t);
}

/** Uniform in [from, to). */
export function between(random: Random, from: number, to: number): number {
  return from + (to - from) * random.next();
}

/** Normal with a mean and sd, kept within 2.5 sd: anatomy has no outliers. */
export function around(random: Random, mean: number, sd: number): number {
  return mean + sd * Math.max(-2.5, Math.min(2.5, random.normal()));
}
