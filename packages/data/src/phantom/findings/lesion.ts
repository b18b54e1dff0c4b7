import type { Random } from '../../random.ts';
import type { Chest } from '../anatomy.ts';
import type { Noise } from '../noise.ts';
import { smoothstep } from '../noise.ts';
import type { Raster } from '../raster.ts';
import { eachPixel, windowOf } from '../raster.ts';
import { domeHeight, innerHalfWidth, type Maps } from '../thorax.ts';

export type Side = 1 | -1;

/** A chest being drawn. */
export interface Scene {
  raster: Raster;
  maps: Maps;
  chest: Chest;
}

/** One finding of one image. */
export interface Lesion {
  /** 0 = barely there, 1 = obvious. */
  grade: number;
  /** The patient's stream for this finding: the same place and shape on every visit. */
  site: Random;
}

/** 255 where the finding lies, 0 elsewhere; size x size. */
export type Mask = Uint8Array;

/** How a finding comes into the picture: first it may change the chest's geometry, then it is put into the thickness maps. */
export interface Drawer {
  reshape?(chest: Chest, lesion: Lesion): void;
  paint(scene: Scene, lesion: Lesion): Mask;
}

export function emptyMask(scene: Scene): Mask {
  return new Uint8Array(scene.raster.size * scene.raster.size);
}

/** A place in a lung: `across` from the mediastinum (0) to the chest wall (1), `down` from apex (0) to diaphragm (1). */
export function lungPlace(chest: Chest, side: Side, across: number, down: number): { u: number; v: number } {
  const top = 6;
  const dome = domeHeight(chest, side * 0.5 * chest.halfWidth);
  const v = top + down * (dome - top);
  const medial = 28;
  return { u: side * (medial + across * (innerHalfWidth(chest, v) - medial)), v };
}

export interface Fill {
  window: { uMin: number; vMin: number; uMax: number; vMax: number };
  /** Share in [0, 1] of the lung along the ray whose air is gone. */
  weight(u: number, v: number): number;
  /** Pixels with a weight from here on belong to the mask (where there was lung). */
  maskFrom: number;
  /** Where it can be seen; without it everywhere. */
  seen?(u: number, v: number): boolean;
}

/** Lung thinner than this (mm) shows nothing of what fills it: it is not counted into masks. */
const VISIBLE_LUNG = 12;

/** Replaces air by fluid: aerated lung becomes soft tissue. Adds to the mask. */
export function fillLung(scene: Scene, mask: Mask, fill: Fill): void {
  const { raster, maps } = scene;
  const { uMin, vMin, uMax, vMax } = fill.window;
  eachPixel(raster, windowOf(raster, uMin, vMin, uMax, vMax), (index, u, v) => {
    const lung = maps.lung[index]!;
    if (lung <= 0) return;
    const weight = fill.weight(u, v);
    if (weight <= 0) return;
    if (weight >= fill.maskFrom && lung > VISIBLE_LUNG && (fill.seen?.(u, v) ?? true)) mask[index] = 255;
    maps.lung[index] = lung * (1 - Math.min(1, weight));
  });
}

/**
 * Share of the depth that a blob of half axes ru x rv fills: 1 in its middle, thinning out as a solid does towards a border that wanders with the noise.
 * `flat` in (0, 1]: the smaller, the longer it stays thick (1: like a ball seen through; 0.3: a lobe between fissures).
 */
export function blob(
  place: { u: number; v: number; ru: number; rv: number },
  noise: Noise,
  options: { ragged: number; flat: number },
): (u: number, v: number) => number {
  const { ragged, flat } = options;
  return (u, v) => {
    const r = Math.hypot((u - place.u) / place.ru, (v - place.v) / place.rv);
    if (r > 1 + 1.2 * ragged) return 0;
    const at = r + ragged * noise(u, v) * smoothstep(0.2, 0.8, r);
    return 1 - smoothstep(1 - 0.95 * flat, 1.08, at);
  };
}

/** The window of a blob and its ragged rim. */
export function around(place: { u: number; v: number; ru: number; rv: number }, ragged: number): Fill['window'] {
  const du = place.ru * (1.1 + 1.2 * ragged);
  const dv = place.rv * (1.1 + 1.2 * ragged);
  return { uMin: place.u - du, vMin: place.v - dv, uMax: place.u + du, vMax: place.v + dv };
}
