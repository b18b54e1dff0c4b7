import type { Chest } from '../anatomy.ts';
import { between, smoothstep, valueNoise } from '../noise.ts';
import { eachPixel, windowOf } from '../raster.ts';
import { type AxisPoint, addTube } from '../solids.ts';
import { apexHeight, domeHeight, innerHalfWidth } from '../thorax.ts';
import { type Drawer, emptyMask, fillLung, type Mask, type Scene, type Side } from './lesion.ts';

/** Free fluid: a meniscus that climbs at the wall; lying down it spreads behind the lung as a haze that thickens downwards. */
export const effusion: Drawer = {
  paint: (scene, { grade, site }) => {
    const mask = emptyMask(scene);
    const first: Side = site.next() < 0.52 ? 1 : -1;
    const sides: Side[] = site.next() < 0.14 ? [first, first === 1 ? -1 : 1] : [first];
    for (const side of sides) {
      const height = (30 + 95 * grade ** 1.4) * between(site, 0.85, 1.15);
      if (scene.chest.supine) paintLayer(scene, mask, side, height, 0.18 + 0.5 * grade);
      else paintMeniscus(scene, mask, side, height);
    }
    return mask;
  },
};

function paintMeniscus(scene: Scene, mask: Mask, side: Side, height: number): void {
  const { chest } = scene;
  const floor = domeHeight(chest, side * chest.halfWidth * 0.93);
  const base = floor - height;
  const climb = height * (0.85 - 0.35 * smoothstep(60, 130, height));
  fillLung(scene, mask, {
    window: halfWindow(chest.halfWidth, side, base - 20, floor + 60),
    maskFrom: 0.6,
    // below the dome the belly hides it, in the middle the heart
    seen: (u, v) => v < domeHeight(chest, u) + 8 && u * side > 0.36 * chest.halfWidth,
    weight: (u, v) => {
      if (u * side < -6) return 0;
      const out = (u * side) / innerHalfWidth(chest, v);
      // the surface seen from the side: highest at the wall, lowest near the middle, a little up again at the mediastinum
      const level = base + climb * (1 - Math.exp((out - 1) / 0.11)) - 0.2 * climb * (1 - smoothstep(0, 0.4, out));
      return smoothstep(level - 7, level + 12, v) * smoothstep(-6, 24, u * side);
    },
  });
}

function paintLayer(scene: Scene, mask: Mask, side: Side, height: number, density: number): void {
  const { chest } = scene;
  const floor = domeHeight(chest, side * chest.halfWidth * 0.85);
  const top = floor - 1.5 * height - 20;
  fillLung(scene, mask, {
    window: halfWindow(chest.halfWidth, side, top, floor + 60),
    maskFrom: 0.66 * density,
    weight: (u, v) => {
      if (u * side < -6) return 0;
      const out = (u * side) / innerHalfWidth(chest, v);
      const haze = density * smoothstep(top, floor, v) * (0.3 + 0.75 * out);
      const angle = smoothstep(0.72, 1, out) * smoothstep(floor - 0.7 * height, floor, v);
      return Math.min(1, haze * smoothstep(-6, 24, u * side) + 0.8 * angle);
    },
  });
}

function halfWindow(halfWidth: number, side: Side, vMin: number, vMax: number) {
  return side < 0 ? { uMin: -halfWidth - 4, vMin, uMax: 6, vMax } : { uMin: -6, vMin, uMax: halfWidth + 4, vMax };
}

/** Air in the pleural space: the lung has shrunk towards its base; beyond its thin white line there are no vessels. */
export const pneumothorax: Drawer = {
  paint: (scene, { grade, site }) => {
    const { raster, maps, chest } = scene;
    const mask = emptyMask(scene);
    const side: Side = site.next() < 0.56 ? -1 : 1;
    const depth = (9 + 35 * grade) * between(site, 0.85, 1.2);
    const low = between(site, 0.26, 0.4) + (between(site, 0.05, 0.5) * depth) / 40;
    const end = Math.min(0.97, low) * domeHeight(chest, side * 0.7 * chest.halfWidth);
    const gone = 0.6 + 0.4 * grade;
    // how far the lung's border has gone in at height v, from the wall and from the top
    const gap = (v: number): number => depth * (1 - smoothstep(0.45 * end, end, v)) * (v < end ? 1 : 0);
    eachPixel(raster, windowOf(raster, ...corners(chest.halfWidth, side, -10, end + 2)), (index, u, v) => {
      if (u * side <= 0 || maps.lung[index]! <= 0) return;
      if (!beyond(scene, u, v, gap(v), depth)) return;
      mask[index] = 255;
      const lung = maps.lung[index]!;
      maps.vessels[index] = 0;
      maps.air[index]! += gone * lung;
      maps.lung[index] = (1 - gone) * lung;
    });
    addTube(raster, maps.vessels, pleuralLine(scene, side, gap, depth, end), { weight: 4 + 4 * grade });
    return mask;
  },
};

function corners(halfWidth: number, side: Side, vMin: number, vMax: number): [number, number, number, number] {
  return side < 0 ? [-halfWidth - 2, vMin, 0, vMax] : [0, vMin, halfWidth + 2, vMax];
}

/** Whether a point of the chest lies between wall and shrunken lung. */
function beyond(scene: Scene, u: number, v: number, gap: number, depth: number): boolean {
  const { chest } = scene;
  return Math.abs(u) > innerHalfWidth(chest, v) - gap || v < roofHeight(chest, u, depth);
}

/** Top of the shrunken lung: it hangs at the mediastinum and has come down further out. */
function roofHeight(chest: Chest, u: number, depth: number): number {
  const out = Math.min(0.55, Math.abs(u) / chest.halfWidth); // further out the wall, not the roof, is what it leaves
  return apexHeight(chest, out * chest.halfWidth) + 0.8 * depth * smoothstep(0.28, 0.52, out);
}

function pleuralLine(scene: Scene, side: Side, gap: (v: number) => number, depth: number, end: number): AxisPoint[] {
  const { chest } = scene;
  const axis: AxisPoint[] = [];
  for (let v = end; v > 0; v -= 4) {
    const u = innerHalfWidth(chest, v) - gap(v);
    if (v < roofHeight(chest, u, depth)) break;
    axis.push({ u: side * u, v, radius: 0.8 });
  }
  const last = axis.at(-1);
  for (let u = (last ? Math.abs(last.u) : 0) - 4; u > 24; u -= 4) axis.push({ u: side * u, v: roofHeight(chest, u, depth), radius: 0.8 });
  return axis;
}

/** Scar of the pleura: a band along the wall, or a cap on the apex. */
export const pleuralThickening: Drawer = {
  paint: (scene, { grade, site }) => {
    const { chest } = scene;
    const mask = emptyMask(scene);
    const side: Side = site.next() < 0.5 ? -1 : 1;
    const apical = site.next() < 0.4;
    const thick = (9 + 12 * grade) * between(site, 0.85, 1.15);
    const density = 0.62 + 0.36 * grade;
    const noise = valueNoise(site, 45, 2);
    const dome = domeHeight(chest, side * 0.8 * chest.halfWidth);
    const from = apical ? -10 : between(site, 0.25, 0.5) * dome;
    const slope = apical ? 28 : 42;
    const to = apical ? 56 : from + between(site, 0.38, 0.6) * dome;
    fillLung(scene, mask, {
      window: halfWindow(chest.halfWidth, side, from - 4, to + 4),
      maskFrom: 0.4 * density,
      weight: (u, v) => {
        if (u * side < 8) return 0;
        const ends = smoothstep(from, from + slope, apical ? v + 40 : v) * (1 - smoothstep(to - slope, to, v));
        const width = thick * (1 + 0.2 * noise(u, v)) * ends;
        const wall = innerHalfWidth(chest, v) - Math.abs(u);
        const roof = apical ? 0.75 * (v - apexHeight(chest, u)) : Number.POSITIVE_INFINITY;
        const inside = Math.min(wall, roof);
        return density * (1 - smoothstep(width - 4, width + 4, inside)) * (width > 1 ? 1 : 0);
      },
    });
    return mask;
  },
};
