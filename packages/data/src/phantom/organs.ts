import type { Chest } from './anatomy.ts';
import { smoothstep } from './noise.ts';
import type { Raster } from './raster.ts';
import { eachPixel, windowOf } from './raster.ts';
import { addEllipsoid, addTube } from './solids.ts';
import { domeHeight, type Maps } from './thorax.ts';
import { hilum } from './vessels.ts';

/** Trachea and main bronchi as air within the mediastinum. */
export function drawAirways(raster: Raster, maps: Maps, chest: Chest): void {
  const radius = chest.sex === 'M' ? 8.5 : 7.2;
  const shift = chest.shift;
  const carina = { u: 1 + shift, v: 0.33 * chest.domeRight };
  const trachea = [
    { u: chest.twist * 0.2, v: -130, radius },
    { u: 0.3 * shift, v: 0, radius },
    { u: carina.u, v: carina.v - 18, radius },
    { ...carina, radius },
  ];
  addTube(raster, maps.air, trachea, { flatness: 0.9 });
  for (const side of [-1, 1] as const) {
    const end = hilum(chest, side);
    addTube(raster, maps.air, [
      { ...carina, radius: 7 },
      { u: (carina.u + end.u) / 2, v: carina.v + (side < 0 ? 17 : 13), radius: 6 },
      { u: end.u, v: end.v - 4, radius: 4.5 },
    ]);
  }
}

/** Breasts (a woman's, or a heavy man's), upper arms, and the gas of stomach and colon under the left dome, with a level when upright. */
export function drawSoftParts(raster: Raster, maps: Maps, chest: Chest): void {
  const arms = new Float32Array(maps.body.length);
  for (const side of [-1, 1] as const) {
    if (chest.breast > 0.05) drawBreast(raster, maps, chest, side);
    const out = chest.halfWidth + 46;
    const arm = 30 + 0.6 * chest.fat;
    const axis = [
      { u: side * out, v: 0, radius: arm + 12 },
      { u: side * (out + 12 + 22 * chest.armOut), v: 70, radius: arm + 4 },
      { u: side * (out + 22 + 70 * chest.armOut), v: 270, radius: arm },
    ];
    addTube(raster, arms, axis);
  }
  // beside the trunk, not in front of it: where both meet the thicker counts
  for (let i = 0; i < arms.length; i++) if (arms[i]! > maps.body[i]!) maps.body[i] = arms[i]!;
  if (chest.stomachAir > 0) {
    const u = 0.42 * chest.halfWidth;
    const level = domeHeight(chest, u) + 9;
    const half = 15 + 17 * chest.stomachAir;
    eachPixel(raster, windowOf(raster, u - half, level, u + half, level + 2 * half), (index, pu, pv) => {
      const p = (pu - u) / half;
      const q = (pv - level) / (0.95 * half);
      if (q < 0) return;
      const roof = 1 - p * p - (q - 0.75) * (q - 0.75) * (q < 0.75 ? 1.7 : 0.5);
      if (roof > 0 && (chest.supine || q < 0.95)) maps.air[index]! += 46 * chest.stomachAir * Math.sqrt(roof);
    });
  }
}

function drawBreast(raster: Raster, maps: Maps, chest: Chest, side: 1 | -1): void {
  const size = 46 + 26 * chest.breast;
  const low = chest.view === 'AP' && chest.supine ? -6 : 10;
  const u = side * (0.58 * chest.halfWidth + (chest.supine ? 14 : 0));
  const v = 0.74 * chest.lungHeight + low;
  eachPixel(raster, windowOf(raster, u - size, v - 1.7 * size, u + size, v + size), (index, pu, pv) => {
    const p = (pu - u) / size;
    const q = (pv - v) / (pv > v ? 0.85 * size : 1.7 * size);
    const rest = 1 - p * p - q * q;
    if (rest <= 0) return;
    // hanging: full at the lower fold, thin above
    const full = smoothstep(-0.7, 0.4, q);
    const thickness = 44 * chest.breast * (full * Math.sqrt(rest) + (1 - full) * rest);
    maps.body[index]! += thickness;
    maps.fat[index]! += 0.6 * thickness;
  });
}

/** Bowel gas below both domes: soft rings of air. */
export function drawBowelGas(raster: Raster, maps: Maps, places: readonly { u: number; v: number; r: number }[]): void {
  for (const { u, v, r } of places) addEllipsoid(raster, maps.air, { u, v, ru: r, rv: 0.7 * r, rz: 0.8 * r });
}
