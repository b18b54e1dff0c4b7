import type { Raster } from './raster.ts';
import { windowOf } from './raster.ts';

/** Thickness along the ray, in mm, for every pixel. */
export type Thickness = Float32Array;

export interface Ellipsoid {
  u: number;
  v: number;
  /** Half axes in mm: along the turned u, the turned v, and the ray. */
  ru: number;
  rv: number;
  rz: number;
  /** Radians, from u towards v. */
  angle?: number;
}

/** Adds the chord of an ellipsoid, times `weight`, to a thickness map: 2 rz sqrt(1 - (a / ru)^2 - (b / rv)^2). */
export function addEllipsoid(raster: Raster, map: Thickness, solid: Ellipsoid, weight = 1): void {
  const { u, v, ru, rv, rz, angle = 0 } = solid;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const reachU = Math.hypot(ru * cos, rv * sin);
  const reachV = Math.hypot(ru * sin, rv * cos);
  const { x0, y0, x1, y1 } = windowOf(raster, u - reachU, v - reachV, u + reachU, v + reachV);
  const scale = 2 * rz * weight;
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const du = raster.u0 + raster.ux * x + raster.uy * y - u;
      const dv = raster.v0 + raster.vx * x + raster.vy * y - v;
      const a = (du * cos + dv * sin) / ru;
      const b = (dv * cos - du * sin) / rv;
      const rest = 1 - a * a - b * b;
      if (rest > 0) map[y * raster.size + x]! += scale * Math.sqrt(rest);
    }
  }
}

/** A point of a tube's axis: place and radius in mm, and how much longer than straight through the ray runs in it (1 = crossing at a right angle). */
export interface AxisPoint {
  u: number;
  v: number;
  radius: number;
  stretch?: number;
}

export interface TubeOptions {
  weight?: number;
  /** Depth over height of the cross-section; 1 is round. */
  flatness?: number;
  /** Wall in mm: the solid inside of it counts only `core` times. 0 = solid. */
  wall?: number;
  core?: number;
}

/**
 * Adds a tube along a polyline to a thickness map. Where the polyline's pieces overlap the nearest axis counts, so that joints do not show.
 * Tubes thinner than the pixel pitch are drawn wider and proportionally thinner: their mass stays, they do not break up into dots.
 */
export function addTube(raster: Raster, map: Thickness, axis: readonly AxisPoint[], options: TubeOptions = {}): void {
  const { weight = 1, flatness = 1, wall = 0, core = 0 } = options;
  const least = 0.8 * raster.pitch;
  const { near, chords } = scratchOf(raster.size);
  const touched = { x0: raster.size, y0: raster.size, x1: 0, y1: 0 };
  for (let i = 0; i + 1 < axis.length; i++) {
    const a = axis[i]!;
    const b = axis[i + 1]!;
    const radius = Math.max(a.radius, b.radius, least);
    const w = windowOf(
      raster,
      Math.min(a.u, b.u) - radius,
      Math.min(a.v, b.v) - radius,
      Math.max(a.u, b.u) + radius,
      Math.max(a.v, b.v) + radius,
    );
    if (w.x0 >= w.x1 || w.y0 >= w.y1) continue;
    touched.x0 = Math.min(touched.x0, w.x0);
    touched.y0 = Math.min(touched.y0, w.y0);
    touched.x1 = Math.max(touched.x1, w.x1);
    touched.y1 = Math.max(touched.y1, w.y1);
    const du = b.u - a.u;
    const dv = b.v - a.v;
    const length2 = du * du + dv * dv || 1e-9;
    const stretchA = a.stretch ?? 1;
    const stretchB = b.stretch ?? 1;
    for (let y = w.y0; y < w.y1; y++) {
      for (let x = w.x0; x < w.x1; x++) {
        const pu = raster.u0 + raster.ux * x + raster.uy * y - a.u;
        const pv = raster.v0 + raster.vx * x + raster.vy * y - a.v;
        let t = (pu * du + pv * dv) / length2;
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        const eu = pu - t * du;
        const ev = pv - t * dv;
        const d2 = eu * eu + ev * ev;
        const real = a.radius + (b.radius - a.radius) * t;
        const drawn = real < least ? least : real;
        if (d2 >= drawn * drawn) continue;
        const index = y * raster.size + x;
        const nearness = 1 - d2 / (drawn * drawn);
        if (nearness <= near[index]!) continue;
        near[index] = nearness;
        const mass = (real * real) / (drawn * drawn);
        let chord = 2 * Math.sqrt(drawn * drawn - d2);
        const inner = real - wall;
        if (wall > 0 && inner > 0 && d2 < inner * inner) chord -= 2 * (1 - core) * Math.sqrt(inner * inner - d2);
        chords[index] = chord * mass * (stretchA + (stretchB - stretchA) * t);
      }
    }
  }
  for (let y = touched.y0; y < touched.y1; y++) {
    for (let index = y * raster.size + touched.x0; index < y * raster.size + touched.x1; index++) {
      if (near[index]! > 0) {
        map[index]! += weight * flatness * chords[index]!;
        near[index] = 0;
      }
    }
  }
}

let scratch = { near: new Float32Array(0), chords: new Float32Array(0) };

/** How near the axis of a tube is to each pixel (1 on it, 0 from its rim on) and the chord there. `addTube` leaves `near` zero again. */
function scratchOf(size: number): typeof scratch {
  if (scratch.near.length !== size * size) scratch = { near: new Float32Array(size * size), chords: new Float32Array(size * size) };
  return scratch;
}
