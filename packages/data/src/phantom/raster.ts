/** Where a size x size image lies in the patient: pixel centre (px, py) -> u = u0 + ux px + uy py, v likewise, in mm. */
export interface Raster {
  size: number;
  u0: number;
  ux: number;
  uy: number;
  v0: number;
  vx: number;
  vy: number;
  /** Pixel pitch in mm, the coarser of the two directions: images are squashed to a square as NIH's are. */
  pitch: number;
}

/** A film of `width` x `height` mm, seen by a patient who is magnified, moved by (du, dv) mm and rotated by `angle` radians. */
export interface Pose {
  width: number;
  height: number;
  magnification: number;
  du: number;
  dv: number;
  angle: number;
}

/** Half-open pixel window. */
export interface Window {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Height in mm below the lung apices of the point about which a patient is turned and placed: the middle of the chest. */
const PIVOT = 125;

/** The raster of a pose: u = 0 is the patient's midline, growing to the image's right (the patient's left); v = 0 the lung apices, growing down. */
export function placeRaster(size: number, pose: Pose): Raster {
  const cos = Math.cos(pose.angle) / pose.magnification;
  const sin = Math.sin(pose.angle) / pose.magnification;
  const sx = pose.width / size;
  const sy = pose.height / size;
  const left = -pose.width / 2 - pose.du + sx / 2;
  const top = -pose.height / 2 - pose.dv + sy / 2;
  return {
    size,
    u0: cos * left + sin * top,
    ux: cos * sx,
    uy: sin * sy,
    v0: PIVOT - sin * left + cos * top,
    vx: -sin * sx,
    vy: cos * sy,
    pitch: Math.max(sx, sy) / pose.magnification,
  };
}

/** Pixel coordinates (fractional) of a point in the patient. */
export function toPixel(raster: Raster, u: number, v: number): [number, number] {
  const { ux, uy, vx, vy } = raster;
  const det = ux * vy - uy * vx;
  const a = u - raster.u0;
  const b = v - raster.v0;
  return [(a * vy - b * uy) / det, (b * ux - a * vx) / det];
}

/** The pixels whose centres may lie in the rectangle [uMin, uMax] x [vMin, vMax] mm. */
export function windowOf(raster: Raster, uMin: number, vMin: number, uMax: number, vMax: number): Window {
  let x0 = Number.POSITIVE_INFINITY;
  let y0 = Number.POSITIVE_INFINITY;
  let x1 = Number.NEGATIVE_INFINITY;
  let y1 = Number.NEGATIVE_INFINITY;
  for (const u of [uMin, uMax]) {
    for (const v of [vMin, vMax]) {
      const [px, py] = toPixel(raster, u, v);
      x0 = Math.min(x0, px);
      x1 = Math.max(x1, px);
      y0 = Math.min(y0, py);
      y1 = Math.max(y1, py);
    }
  }
  const clamp = (value: number): number => Math.max(0, Math.min(raster.size, value));
  return { x0: clamp(Math.floor(x0)), y0: clamp(Math.floor(y0)), x1: clamp(Math.ceil(x1) + 1), y1: clamp(Math.ceil(y1) + 1) };
}

/** Calls `visit(index, u, v)` for every pixel of a window. */
export function eachPixel(raster: Raster, window: Window, visit: (index: number, u: number, v: number) => void): void {
  const { u0, ux, uy, v0, vx, vy, size } = raster;
  for (let y = window.y0; y < window.y1; y++) {
    for (let x = window.x0; x < window.x1; x++) visit(y * size + x, u0 + ux * x + uy * y, v0 + vx * x + vy * y);
  }
}

/** The whole image as a window. */
export function wholeWindow(raster: Raster): Window {
  return { x0: 0, y0: 0, x1: raster.size, y1: raster.size };
}
