import type { Random } from '../../random.ts';
import { between, smoothstep } from '../noise.ts';
import { eachPixel, windowOf } from '../raster.ts';
import { addTube } from '../solids.ts';
import { type Drawer, emptyMask, type Lesion, lungPlace, type Mask, type Scene, type Side } from './lesion.ts';

interface Knot {
  u: number;
  v: number;
  /** Radius in mm; the third axis is as long as the mean of the two. */
  ru: number;
  rv: number;
  /** Share of soft tissue in it. */
  density: number;
  spicules: number;
  /** Depth of its lobes, in units of the radius. */
  lobed: number;
}

/** A round focus in the lung, also behind heart, ribs and diaphragm: only what lung there is can be replaced. */
function paintKnot(scene: Scene, site: Random, knot: Knot): Mask {
  const { raster, maps } = scene;
  const mask = emptyMask(scene);
  const turn = site.next() * 6.283;
  const lobes = 3 + site.int(3);
  const reach = 1 + knot.lobed;
  const rz = (knot.ru + knot.rv) / 2;
  const solid = new Float32Array(raster.size * raster.size);
  const bounds = windowOf(raster, knot.u - knot.ru * reach, knot.v - knot.rv * reach, knot.u + knot.ru * reach, knot.v + knot.rv * reach);
  eachPixel(raster, bounds, (index, u, v) => {
    const a = (u - knot.u) / knot.ru;
    const b = (v - knot.v) / knot.rv;
    const rim = 1 + knot.lobed * Math.sin(lobes * Math.atan2(b, a) + turn);
    const rest = 1 - (a * a + b * b) / (rim * rim);
    if (rest <= 0) return;
    solid[index] = 2 * rz * Math.sqrt(rest) * knot.density;
    if (maps.cavity[index]! > 20) mask[index] = 255;
  });
  for (let spicule = 0; spicule < knot.spicules; spicule++) {
    const angle = turn + (6.283 * (spicule + 0.6 * site.next())) / knot.spicules;
    const length = between(site, 1.25, 1.7);
    const at = (r: number, radius: number) => ({
      u: knot.u + knot.ru * r * Math.cos(angle),
      v: knot.v + knot.rv * r * Math.sin(angle),
      radius,
    });
    addTube(raster, solid, [at(0.8, 2.2), at(length, 0.6)], { weight: knot.density });
  }
  for (let i = 0; i < solid.length; i++) if (solid[i]! > 0) maps.lung[i] = Math.max(0, maps.lung[i]! - solid[i]!);
  return mask;
}

/** Anywhere in the lungs, now and then behind the heart or low behind the dome. */
function anywhere(scene: Scene, site: Random): { u: number; v: number } {
  const side: Side = site.next() < 0.5 ? -1 : 1;
  return lungPlace(scene.chest, side, between(site, 0.12, 0.8), between(site, 0.16, 0.95));
}

function paintFocus(scene: Scene, lesion: Lesion, radius: number, density: number): Mask {
  const { site } = lesion;
  const place = anywhere(scene, site);
  const ratio = between(site, 0.84, 1.19);
  const kind = site.next();
  return paintKnot(scene, site, {
    ...place,
    ru: radius * ratio,
    rv: radius / ratio,
    density,
    spicules: kind < 0.35 ? 9 + site.int(6) : 0,
    lobed: kind > 0.7 ? 0.075 : 0.03,
  });
}

/** Over 3 cm across. */
export const mass: Drawer = {
  paint: (scene, lesion) => paintFocus(scene, lesion, 16 + 19 * lesion.site.next() ** 1.5 + 3 * lesion.grade, 0.5 + 0.5 * lesion.grade),
};

/** Under 3 cm across. */
export const nodule: Drawer = {
  paint: (scene, lesion) => paintFocus(scene, lesion, 9.3 + 3.7 * lesion.site.next() + 1.3 * lesion.grade, 0.82 + 0.18 * lesion.grade),
};

/** Part of the stomach behind the heart: a round shadow, with a level of air when upright. */
export const hernia: Drawer = {
  paint: (scene, { grade, site }) => {
    const { raster, maps, chest } = scene;
    const mask = emptyMask(scene);
    const radius = 26 + 15 * grade + 4 * site.next();
    const u = between(site, 6, 24) + chest.shift;
    const v = chest.domeLeft - 0.62 * radius;
    const air = 0.4 + 0.5 * grade;
    const wall = 5;
    eachPixel(raster, windowOf(raster, u - radius, v - radius, u + radius, v + radius), (index, pu, pv) => {
      const rest = 1 - ((pu - u) ** 2 + (pv - v) ** 2) / (radius * radius);
      if (rest <= 0 || maps.cavity[index]! <= 0) return;
      const chord = 1.5 * radius * Math.sqrt(rest);
      maps.lung[index] = Math.max(0, maps.lung[index]! - chord);
      mask[index] = 255;
      const inner = 1 - ((pu - u) ** 2 + (pv - v) ** 2) / (radius - wall) ** 2;
      if (inner > 0) {
        const level = chest.supine ? 0.5 : smoothstep(0.12 * radius, -0.02 * radius, pv - v);
        maps.air[index]! += 1.6 * (radius - wall) * Math.sqrt(inner) * air * level;
      }
    });
    return mask;
  },
};
