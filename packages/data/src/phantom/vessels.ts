import { type Random, random } from '../random.ts';
import type { Chest } from './anatomy.ts';
import { around, between } from './noise.ts';
import type { Raster } from './raster.ts';
import { addEllipsoid, addTube, type Thickness } from './solids.ts';

/** Where a lung's vessels and bronchus enter it, in mm. */
export function hilum(chest: Chest, side: 1 | -1): { u: number; v: number } {
  const v = 0.44 * (chest.domeRight + 6) + (side > 0 ? -6 : 3);
  return { u: side * (0.245 * chest.halfWidth + (side > 0 ? 2 : 0)) + chest.shift + 0.3 * chest.twist, v };
}

/** Hila and the tree of vessels that tapers outwards from them. */
export function drawVessels(raster: Raster, map: Thickness, chest: Chest): void {
  for (const side of [-1, 1] as const) {
    const root = hilum(chest, side);
    const tree = random(`${chest.seed}/vessels/${side}`);
    const central = chest.vesselCentral;
    addEllipsoid(raster, map, { u: root.u - side * 3, v: root.v, ru: 12 * central, rv: 17 * central, rz: 13, angle: side * 0.35 });
    // the interlobar artery runs down along the heart's border
    addTube(raster, map, [
      { u: root.u, v: root.v, radius: 7.5 * central },
      { u: root.u + side * 5, v: root.v + 26, radius: 6.6 * central },
      { u: root.u + side * 8, v: root.v + 48, radius: 5 * central },
    ]);
    for (const degrees of [-82, -58, -34, -8, 14, 34, 52, 68, 82]) {
      const angle = ((degrees + around(tree, 0, 5)) * Math.PI) / 180;
      const low = degrees > 25;
      const start = low ? { u: root.u + side * 5, v: root.v + 24 } : { u: root.u, v: root.v - 4 };
      grow(raster, map, chest, tree, { ...start, angle, radius: between(tree, 3, 4.1) * (low ? 1.15 : 0.92), side, depth: 0 });
    }
  }
}

interface Branch {
  u: number;
  v: number;
  /** Radians below the horizontal, outwards. */
  angle: number;
  radius: number;
  side: 1 | -1;
  depth: number;
}

const LAST_DEPTH = 6;

function grow(raster: Raster, map: Thickness, chest: Chest, tree: Random, branch: Branch): void {
  const scale = chest.domeRight / 226;
  const length = between(tree, 11, 25) * scale * (branch.depth === 0 ? 1.35 : 1);
  const bend = around(tree, 0, 0.13);
  const axis = [];
  const thin = (depth: number): number => chest.vesselCentral + ((chest.vesselPeripheral - chest.vesselCentral) * depth) / LAST_DEPTH;
  const last = branch.radius * 0.87;
  let { u, v, angle } = branch;
  for (let i = 0; i <= 2; i++) {
    axis.push({ u, v, radius: (branch.radius + ((last - branch.radius) * i) / 2) * thin(branch.depth + i / 2) });
    u += branch.side * Math.cos(angle) * (length / 2);
    v += Math.sin(angle) * (length / 2);
    angle += bend;
  }
  addTube(raster, map, axis);
  if (branch.depth >= LAST_DEPTH) return;
  const end = axis[2]!;
  const fork = between(tree, 0.22, 0.5);
  const major = tree.next() < 0.5 ? 1 : -1;
  grow(raster, map, chest, tree, {
    ...branch,
    u: end.u,
    v: end.v,
    angle: angle + major * fork * 0.4,
    radius: last * 0.94,
    depth: branch.depth + 1,
  });
  if (branch.depth < 5 || tree.next() < 0.6) {
    grow(raster, map, chest, tree, {
      ...branch,
      u: end.u,
      v: end.v,
      angle: angle - major * fork,
      radius: last * between(tree, 0.66, 0.86),
      depth: branch.depth + 1 + (tree.next() < 0.35 ? 1 : 0),
    });
  }
}
