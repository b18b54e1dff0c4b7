import { random } from '../random.ts';
import type { Chest } from './anatomy.ts';
import { around, smoothstep } from './noise.ts';
import type { Raster } from './raster.ts';
import { eachPixel, windowOf } from './raster.ts';
import { type AxisPoint, addEllipsoid, addTube, type Thickness } from './solids.ts';
import { innerHalfWidth } from './thorax.ts';

const RIBS = 12;
const SIDES = [-1, 1] as const;

/** Ribs (back and front in one curve), clavicles, scapulae, upper arms and spine. */
export function drawBones(raster: Raster, map: Thickness, chest: Chest): void {
  const shape = random(`${chest.seed}/bones`);
  for (let rib = 0; rib < RIBS; rib++) {
    const drop = around(shape, 0, 2.5);
    for (const side of SIDES) {
      const axis = ribAxis(chest, rib, side, drop + around(shape, 0, 1.2));
      addTube(raster, map, axis, { weight: 1.55 * chest.bone, flatness: 0.5, wall: 1.3, core: 0.3 });
    }
  }
  for (const side of SIDES) {
    drawClavicle(raster, map, chest, side, around(shape, 0, 2));
    drawShoulder(raster, map, chest, side, around(shape, 0, 3));
  }
  drawSpine(raster, map, chest);
}

/** A rib runs from the spine around the side to the front, falling all the way: slowly behind, steeply in front. */
function ribAxis(chest: Chest, rib: number, side: 1 | -1, offset: number): AxisPoint[] {
  const start = -12 + rib * chest.ribPitch + offset;
  const fall = (chest.ribDrop * (0.45 + 0.55 * Math.min(1, rib / 3)) * chest.domeRight) / 226;
  const end = rib >= 10 ? 1.35 - 0.35 * (rib - 10) : (160 - 5.5 * Math.max(0, rib - 2)) * (Math.PI / 180);
  const steps = 22;
  const axis: AxisPoint[] = [];
  for (let i = 0; i <= steps; i++) {
    const theta = 0.16 + ((end - 0.16) * i) / steps;
    const front = (1 - Math.cos(theta)) / 2; // 0 at the back, 1 at the front
    const v = start + fall * front - 7 * Math.sin(Math.min(theta * 1.7, Math.PI));
    const width = (rib === 0 ? 1.12 : 1.035) * innerHalfWidth(chest, Math.max(v, 12 + 6 * rib)) + 1;
    const u = side * width * Math.sin(theta) + chest.twist * (2 * front - 1);
    // share of the axis that runs along the ray: all of it at the side
    const du = width * Math.cos(theta);
    const dz = chest.halfDepth * 1.1 * Math.sin(theta);
    const dv = (fall / 2) * Math.sin(theta);
    const along = (dz * dz) / (du * du + dz * dz + dv * dv);
    const taper = Math.min(1, 0.72 + 1.6 * (theta - 0.16));
    // in front bone turns into cartilage, which does not show; the ribs without cartilage end in a point
    const ossified = 1 - smoothstep(0.8, 0.98, i / steps);
    const stretch = ossified * Math.min(2.3, 1 / Math.sqrt(1.05 - along));
    axis.push({ u, v, radius: chest.ribRadius * taper * (1 - 0.42 * along), stretch });
  }
  return axis;
}

function drawClavicle(raster: Raster, map: Thickness, chest: Chest, side: 1 | -1, lift: number): void {
  const up = (chest.view === 'AP' ? -9 : 0) + lift;
  const reach = chest.halfWidth / 141;
  const axis = [
    [14, 27, 8.5],
    [34, 20, 6.2],
    [62, 12, 5.4],
    [92, -1, 5.2],
    [122, -13, 5.6],
    [152, -18, 6.8],
    [168, -16, 6.4],
  ].map(([u, v, radius]) => ({ u: side * u! * reach + chest.twist, v: v! + up, radius: radius! }));
  addTube(raster, map, axis, { weight: 1.5 * chest.bone, flatness: 0.9, wall: 1.8, core: 0.34 });
}

/** Scapula with its spine and borders, humeral head and shaft. */
function drawShoulder(raster: Raster, map: Thickness, chest: Chest, side: 1 | -1, offset: number): void {
  const a = chest.halfWidth;
  const inward = 44 * chest.scapulaIn;
  const at = (u: number, v: number, radius: number): AxisPoint => ({ u: side * (a + u - inward), v: v + offset, radius });
  const medial = [at(-12, 18, 2), at(-10, 55, 2.4), at(2, 105, 2.8), at(8, 138, 3.4)];
  const lateral = [at(8, 138, 3.4), at(16, 110, 4.2), at(24, 72, 4.4), at(31, 42, 5)];
  const spine = [at(-11, 34, 2.4), at(10, 20, 3.6), at(34, 2, 5), { ...at(54, -12, 6), stretch: 0.35 }];
  const upper = [at(-12, 18, 2), at(6, 4, 2), at(24, 12, 4)];
  for (const axis of [medial, lateral, spine, upper])
    addTube(raster, map, axis, { weight: chest.bone, flatness: 0.8, wall: 1.4, core: 0.3 });
  addEllipsoid(raster, map, { u: side * (a + 6 - inward), v: 66 + offset, ru: 17, rv: 62, rz: 1.1, angle: -side * 0.18 }, chest.bone);
  addEllipsoid(raster, map, { u: side * (a + 32 - inward), v: 24 + offset, ru: 7, rv: 18, rz: 6 }, 0.5 * chest.bone);
  const out = a + 50 - 0.55 * inward;
  const head = { u: side * out, v: 18 + offset };
  addTube(
    raster,
    map,
    [
      { ...head, radius: 23 },
      { u: head.u + side * 0.5, v: head.v + 0.5, radius: 23 },
    ],
    { weight: chest.bone, flatness: 0.8, wall: 1.4, core: 0.2 },
  );
  const elbow = { u: side * (out + 22 + 70 * chest.armOut), v: 270 };
  addTube(
    raster,
    map,
    [
      { ...head, radius: 15, stretch: 0 },
      { u: head.u + (elbow.u - head.u) * 0.15, v: head.v + (elbow.v - head.v) * 0.15, radius: 12.5 },
      { ...elbow, radius: 11 },
    ],
    {
      weight: chest.bone,
      wall: 3.6,
      core: 0.15,
    },
  );
}

/** Vertebral bodies with end plates and pedicles, spinous processes. */
function drawSpine(raster: Raster, map: Thickness, chest: Chest): void {
  let v = -112;
  for (let level = 0; v < 340; level++) {
    const height = 15 + 0.85 * Math.min(level, 16);
    const width = 14 + 0.55 * level;
    const u = chest.spineCurve * Math.sin(v / 90) - 0.35 * chest.twist;
    const half = height / 2 - 1.6;
    eachPixel(raster, windowOf(raster, u - width - 1, v - half - 1, u + width + 1, v + half + 1), (index, pu, pv) => {
      const p = Math.abs(pu - u) / width;
      const q = Math.abs(pv - v) / half;
      if (p >= 1 || q >= 1) return;
      map[index]! += chest.bone * (5 * Math.sqrt(1 - p * p) + 2.2 * smoothstep(0.66, 0.92, q) + 1.2 * smoothstep(0.75, 0.95, p));
    });
    for (const side of SIDES)
      addTube(
        raster,
        map,
        [
          { u: u + side * 0.62 * width, v: v - 2, radius: 4 },
          { u: u + side * 0.62 * width, v: v - 0.5, radius: 4 },
        ],
        { weight: chest.bone, wall: 1.3, core: 0.1 },
      );
    addEllipsoid(raster, map, { u: u - 0.3 * chest.twist, v: v + 0.3 * height, ru: 3, rv: 6, rz: 5 }, chest.bone);
    addEllipsoid(raster, map, { u: u - 1.25 * width, v: v - 1, ru: 0.5 * width, rv: 4, rz: 2 }, chest.bone);
    addEllipsoid(raster, map, { u: u + 1.25 * width, v: v - 1, ru: 0.5 * width, rv: 4, rz: 2 }, chest.bone);
    v += height + 3.2;
  }
}
