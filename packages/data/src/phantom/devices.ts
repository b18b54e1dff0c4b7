import { type Random, random } from '../random.ts';
import type { Exposure } from './film.ts';
import type { Scene } from './findings/lesion.ts';
import { between } from './noise.ts';
import type { PhantomImage } from './plan.ts';
import type { Raster } from './raster.ts';
import type { Shortcut } from './shortcuts.ts';
import { type AxisPoint, addEllipsoid, addTube, type Thickness } from './solids.ts';
import { heartPlace, innerHalfWidth } from './thorax.ts';
import { hilum } from './vessels.ts';

type Point = readonly [number, number];

/** Draws what a shortcut stands for into the metal map: lead letters lie on the film, everything else on or in the patient. */
export function drawDevices(scene: Scene, plan: PhantomImage, seed: number): void {
  const stream = random(`phantom/${seed}/${plan.name}/devices`);
  const draw: Record<Shortcut, () => void> = {
    marker: () => drawMarker(scene, stream, plan.shortcuts.includes('device')),
    portable: () => drawText(scene, 'PORTABLE', { x: between(stream, 0.05, 0.5), y: between(stream, 0.05, 0.09), height: 0.026 }),
    leads: () => drawLeads(scene, stream),
    tube: () => drawTubes(scene, stream),
    drain: () => drawDrain(scene, stream, plan, seed),
    pacemaker: () => drawPacemaker(scene, stream),
    device: () => drawText(scene, 'B7', { x: 0.9, y: 0.94, height: 0.03 }),
  };
  for (const shortcut of plan.shortcuts) draw[shortcut]();
}

/** One device among several: brighter pictures in a narrow black border. */
export function exposeOnDevice(exposure: Exposure): Exposure {
  return { ...exposure, black: exposure.black + 0.28, gamma: 0.82 * exposure.gamma, collimation: [0.028, 0.04, 0.028, 0.028] };
}

/** 255 where a shortcut is: metal, and what the device's border covers. */
export function shortcutMask(scene: Scene, exposure: Exposure, plan: PhantomImage): Uint8Array {
  const { size } = scene.raster;
  const mask = new Uint8Array(size * size);
  const [left, top, right, bottom] = plan.shortcuts.includes('device') ? exposure.collimation : [0, 0, 0, 0];
  for (let i = 0; i < mask.length; i++) {
    const x = (i % size) / size;
    const y = Math.floor(i / size) / size;
    const border = x < left || x >= 1 - right || y < top || y >= 1 - bottom;
    if (border || scene.maps.metal[i]! > 0.05) mask[i] = 255;
  }
  return mask;
}

/** Letters as strokes on a grid of 4 x 6. */
const GLYPHS: Record<string, readonly (readonly Point[])[]> = {
  L: [
    [
      [0, 0],
      [0, 6],
      [4, 6],
    ],
  ],
  R: [
    [
      [0, 6],
      [0, 0],
      [3, 0],
      [4, 1],
      [4, 2],
      [3, 3],
      [0, 3],
    ],
    [
      [2, 3],
      [4, 6],
    ],
  ],
  P: [
    [
      [0, 6],
      [0, 0],
      [3, 0],
      [4, 1],
      [4, 2],
      [3, 3],
      [0, 3],
    ],
  ],
  O: [
    [
      [1, 0],
      [3, 0],
      [4, 1],
      [4, 5],
      [3, 6],
      [1, 6],
      [0, 5],
      [0, 1],
      [1, 0],
    ],
  ],
  T: [
    [
      [0, 0],
      [4, 0],
    ],
    [
      [2, 0],
      [2, 6],
    ],
  ],
  A: [
    [
      [0, 6],
      [2, 0],
      [4, 6],
    ],
    [
      [0.8, 4],
      [3.2, 4],
    ],
  ],
  B: [
    [
      [0, 0],
      [0, 6],
      [3, 6],
      [4, 5],
      [4, 4],
      [3, 3],
      [0, 3],
    ],
    [
      [0, 0],
      [3, 0],
      [4, 1],
      [4, 2],
      [3, 3],
    ],
  ],
  E: [
    [
      [4, 0],
      [0, 0],
      [0, 6],
      [4, 6],
    ],
    [
      [0, 3],
      [3, 3],
    ],
  ],
  '7': [
    [
      [0, 0],
      [4, 0],
      [1.5, 6],
    ],
  ],
};

/** Lead letters; x, y (left, top) and height are shares of the film. */
function drawText(scene: Scene, text: string, at: { x: number; y: number; height: number }): void {
  const { raster, maps } = scene;
  const { size } = raster;
  const unit = (at.height * size) / 6;
  const place = (x: number, y: number): { u: number; v: number } => ({
    u: raster.u0 + raster.ux * x + raster.uy * y,
    v: raster.v0 + raster.vx * x + raster.vy * y,
  });
  const radius = Math.max(0.8, 0.55 * unit * Math.abs(raster.ux));
  [...text].forEach((letter, i) => {
    for (const stroke of GLYPHS[letter] ?? []) {
      const axis = stroke.map(([x, y]): AxisPoint => ({ ...place(at.x * size + (i * 5.6 + x) * unit, at.y * size + y * unit), radius }));
      addTube(raster, maps.metal, axis, { weight: 5 / (2 * radius) });
    }
  });
}

/** L beside the patient's left shoulder, or R beside the right one: the certain device uses R. */
function drawMarker(scene: Scene, stream: Random, device: boolean): void {
  const x = device ? between(stream, 0.045, 0.1) : between(stream, 0.86, 0.93);
  drawText(scene, device ? 'R' : 'L', { x, y: between(stream, 0.06, 0.16), height: between(stream, 0.035, 0.05) });
}

/** A curve through points: Catmull-Rom, `steps` pieces between two. */
function curve(points: readonly Point[], radius: number, steps = 6): AxisPoint[] {
  const at = (i: number): Point => points[Math.max(0, Math.min(points.length - 1, i))]!;
  const axis: AxisPoint[] = [];
  for (let i = 0; i + 1 < points.length; i++) {
    for (let k = 0; k < steps; k++) {
      const t = k / steps;
      const mix = (j: 0 | 1): number => {
        const [a, b, c, d] = [at(i - 1)[j], at(i)[j], at(i + 1)[j], at(i + 2)[j]];
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t);
      };
      axis.push({ u: mix(0), v: mix(1), radius });
    }
  }
  const [u, v] = points.at(-1)!;
  axis.push({ u, v, radius });
  return axis;
}

function wire(raster: Raster, map: Thickness, points: readonly Point[], radius: number, weight: number): void {
  addTube(raster, map, curve(points, radius), { weight });
}

/** Electrodes with their cables, which leave over the shoulder or the flank. */
function drawLeads({ raster, maps, chest }: Scene, stream: Random): void {
  const a = chest.halfWidth;
  const exit: Point = stream.next() < 0.5 ? [between(stream, -0.2, 0.2) * a, 330] : [a * 1.5, between(stream, 120, 260)];
  for (const [u, v] of [
    [-0.72, 30],
    [0.74, 34],
    [-0.8, 205],
    [0.86, 200],
  ] as const) {
    const place: Point = [u * a + between(stream, -14, 14), v + between(stream, -14, 14)];
    addEllipsoid(raster, maps.metal, { u: place[0], v: place[1], ru: 6, rv: 6, rz: 0.55 });
    const middle: Point = [(place[0] + exit[0]) / 2 + between(stream, -45, 45), (place[1] + exit[1]) / 2 + between(stream, -35, 35)];
    wire(raster, maps.metal, [place, middle, exit], 0.8, 0.32);
  }
}

/** Tube in the windpipe, its tip above the carina, and a line from the neck to the superior vena cava. */
function drawTubes({ raster, maps, chest }: Scene, stream: Random): void {
  const tip = 0.33 * chest.domeRight - between(stream, 25, 50);
  wire(
    raster,
    maps.metal,
    [
      [chest.twist * 0.3 + 4, -160],
      [chest.shift * 0.2 + 3, -40],
      [chest.shift * 0.4 + 2, tip],
    ],
    1.3,
    0.32,
  );
  wire(
    raster,
    maps.metal,
    [
      [-38, -150],
      [-34, -60],
      [-20, 10],
      [-23, between(stream, 85, 110)],
    ],
    1,
    0.42,
  );
}

/** A tube through the lower ribs up to the apex, on the side of the pneumothorax where there is one. */
function drawDrain({ raster, maps, chest }: Scene, stream: Random, plan: PhantomImage, seed: number): void {
  // the first number of the patient's stream for this finding is its side: see findings/pleura.ts
  const side = random(`phantom/${seed}/${plan.patientId}/Pneumothorax`).next() < 0.56 ? -1 : 1;
  const entry = between(stream, 150, 185);
  const wall = innerHalfWidth(chest, entry);
  const points: Point[] = [
    [side * (wall + 70), entry + 40],
    [side * (wall - 2), entry],
    [side * wall * 0.8, entry * 0.62],
    [side * wall * 0.5, between(stream, 28, 55)],
  ];
  wire(raster, maps.metal, points, 3.6, 0.045);
  wire(
    raster,
    maps.metal,
    points.map(([u, v]): Point => [u + side * 2.2, v]),
    0.9,
    0.5,
  );
}

/** The box below the left clavicle and its lead to the tip of the right ventricle. */
function drawPacemaker({ raster, maps, chest }: Scene, stream: Random): void {
  const box = { u: 0.62 * chest.halfWidth + between(stream, -6, 8), v: between(stream, 48, 66) };
  const before = maps.metal.slice();
  addEllipsoid(raster, maps.metal, { ...box, ru: 22, rv: 19, rz: 6, angle: 0.3 });
  // a case with flat faces, not a ball
  for (let i = 0; i < before.length; i++)
    if (maps.metal[i]! > before[i]!) maps.metal[i] = before[i]! + Math.min(3.2, maps.metal[i]! - before[i]!);
  const { u, v, width } = heartPlace(chest);
  const vein = hilum(chest, -1);
  wire(
    raster,
    maps.metal,
    [
      [box.u - 14, box.v - 12],
      [46, 14],
      [4, 22],
      [-20, 48],
      [vein.u + 14, v - 0.1 * width],
      [u - 0.05 * width, v + 0.3 * width],
      [u + 0.3 * width, v + 0.27 * width],
    ],
    1.1,
    0.6,
  );
}
