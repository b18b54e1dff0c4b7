import { random } from '../random.ts';
import type { Chest } from './anatomy.ts';
import { smoothstep, valueNoise } from './noise.ts';
import type { Raster } from './raster.ts';
import { addEllipsoid, type Ellipsoid, type Thickness } from './solids.ts';

/** All thickness maps of a scene, in mm along the ray, one number a pixel. */
export interface Maps {
  /** Whole body, without arms' bones: everything that is not another map's is soft tissue. */
  body: Thickness;
  fat: Thickness;
  /** The chest's inside, whatever fills it. */
  cavity: Thickness;
  /** Aerated lung. */
  lung: Thickness;
  /** Air without lung: trachea, pneumothorax, stomach bubble. */
  air: Thickness;
  bone: Thickness;
  /** Vessels within the lung: soft tissue in its place. */
  vessels: Thickness;
  /** The heart alone, for the cardiothoracic ratio and the mask. */
  heart: Thickness;
  /** Thickness of metal, and of plastic lines in the same unit. */
  metal: Thickness;
}

export function emptyMaps(size: number): Maps {
  const map = (): Thickness => new Float32Array(size * size);
  return { body: map(), fat: map(), cavity: map(), lung: map(), air: map(), bone: map(), vessels: map(), heart: map(), metal: map() };
}

/** Inner half-width of the chest at height v: narrow at the apices, full from 150 mm down. */
export function innerHalfWidth(chest: Chest, v: number): number {
  const t = Math.max(0, 1 - Math.max(0, v) / 155);
  return chest.halfWidth * (0.46 + 0.54 * (1 - t * t * (0.35 + 0.65 * t)));
}

/** Height of the lung's top at u: two domes, each over the middle of its side. */
export function apexHeight(chest: Chest, u: number): number {
  const t = (Math.abs(u) - 0.33 * chest.halfWidth) / (0.2 * chest.halfWidth);
  return 11 * t * t;
}

/** Height of the diaphragm's outline at u. */
export function domeHeight(chest: Chest, u: number): number {
  const side = u - chest.shift * 0.5;
  const centre = 0.47 * chest.halfWidth;
  const out = Math.abs(side) - centre;
  const top = side < 0 ? chest.domeRight : chest.domeLeft;
  if (out > 0) {
    const t = out / (chest.halfWidth - centre);
    return top + chest.domeFall * t * t * (0.55 + 0.45 * t * t);
  }
  const t = out / centre;
  const both = (chest.domeRight + chest.domeLeft) / 2;
  return top + (both + 10 - top) * t * t;
}

/** Outer half-width of trunk, shoulders and neck at height v, without the arms. */
function outerHalfWidth(chest: Chest, v: number): number {
  const thick = chest.wall + chest.fat;
  const neck = 52 + 0.5 * chest.fat;
  const torso = chest.halfWidth + thick * (v > 200 ? 1 + 0.15 * smoothstep(200, 330, v) : 1);
  const shoulder = chest.halfWidth + 38 + 0.6 * chest.fat;
  if (v < -70) return neck;
  if (v < 12) {
    const t = (v + 70) / 82;
    return neck + (shoulder - neck) * t * t * (0.72 + 0.28 * t);
  }
  return shoulder + (torso - shoulder) * smoothstep(40, 135, v);
}

/** Half-depth of the body at height v: neck, shoulders, chest, belly. */
function outerHalfDepth(chest: Chest, v: number): number {
  const torso = chest.halfDepth + 0.55 * (chest.wall + chest.fat);
  if (v < -60) return 58;
  return 58 + (torso - 58) * smoothstep(-60, 120, v);
}

/** Lung texture, -1 ... 1, of 5 mm and finer, drawn once: it repeats after 160 mm without a seam, and each patient has another piece of it. */
const TILE = 512;
const TILE_STEP = 160 / TILE;
const lungTexture = (() => {
  const noise = valueNoise(random('phantom/lung'), 5, 2);
  return Float32Array.from({ length: TILE * TILE }, (_, i) =>
    Math.max(-1, Math.min(1, noise((i % TILE) * TILE_STEP, Math.floor(i / TILE) * TILE_STEP))),
  );
})();

const TABLE_FROM = -260;
const TABLE_LENGTH = 800;

/**
 * Fills body, fat, cavity, heart and lung. The lung is what the chest's inside leaves after heart, mediastinum and diaphragm are taken out of the ray:
 * borders come out as they do on film, as chords that vanish like a square root.
 */
export function drawThorax(raster: Raster, maps: Maps, chest: Chest): void {
  drawHeart(raster, maps.heart, chest);
  const great = new Float32Array(maps.body.length);
  drawGreatVessels(raster, great, chest);
  const rows = new Float32Array(TABLE_LENGTH * 4); // outer half-width, outer half-depth, inner half-width, inner half-depth
  for (let i = 0; i < TABLE_LENGTH; i++) {
    const v = i + TABLE_FROM;
    rows[4 * i] = outerHalfWidth(chest, v);
    rows[4 * i + 1] = outerHalfDepth(chest, v);
    rows[4 * i + 2] = innerHalfWidth(chest, v);
    rows[4 * i + 3] = chest.halfDepth * (0.5 + 0.5 * smoothstep(-10, 120, v));
  }
  const reach = Math.ceil(chest.halfWidth * 1.5);
  const columns = new Float32Array(4 * reach + 2); // dome and apex at half a millimetre
  for (let i = 0; i <= 2 * reach; i++) {
    columns[2 * i] = domeHeight(chest, i - reach);
    columns[2 * i + 1] = apexHeight(chest, i - reach);
  }
  // septa and vessels too fine to be drawn one by one: the lung's air is not quite even
  const { int } = random(`${chest.seed}/texture`);
  const [shiftU, shiftV] = [int(TILE), int(TILE)];
  const domeRadius = 2 * 1.1 * chest.halfWidth * 0.55;
  const { size } = raster;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const index = y * size + x;
      const u = raster.u0 + raster.ux * x + raster.uy * y;
      const v = raster.v0 + raster.vx * x + raster.vy * y;
      const at = v - TABLE_FROM;
      const i = at < 0 ? 0 : at > TABLE_LENGTH - 2 ? TABLE_LENGTH - 2 : Math.floor(at);
      const f = at - i;
      const j = 4 * i;
      const outer = rows[j]! + (rows[j + 4]! - rows[j]!) * f;
      const q = u / outer;
      const q2 = q * q;
      if (q2 >= 1) continue;
      const depth = rows[j + 1]! + (rows[j + 5]! - rows[j + 1]!) * f;
      const body = 2 * depth * Math.sqrt(1 - q2 * (0.35 + 0.65 * q2));
      maps.body[index] = body;
      maps.fat[index] = Math.min(body, 2 * chest.fat);
      const inner = rows[j + 2]! + (rows[j + 6]! - rows[j + 2]!) * f;
      const p = u / inner;
      const p2 = p * p;
      if (p2 >= 1 || v < -30) continue;
      const place = u + reach;
      const c = Math.floor(place);
      const g = place - c;
      const dome = columns[2 * c]! + (columns[2 * c + 2]! - columns[2 * c]!) * g;
      const apex = columns[2 * c + 1]! + (columns[2 * c + 3]! - columns[2 * c + 1]!) * g;
      const below = (v - apex) / 55;
      if (below <= 0) continue;
      const roof = below >= 1 ? 1 : Math.sqrt(below * (2 - below));
      const cavity = Math.min(body, 2 * (rows[j + 3]! + (rows[j + 7]! - rows[j + 3]!) * f) * Math.sqrt(1 - p2 * Math.abs(p)) * roof);
      maps.cavity[index] = cavity;
      const under = v - dome;
      const belly = under > 0 ? 2 * Math.sqrt(domeRadius * under) : 0;
      const heart = maps.heart[index]!;
      const middle = mediastinum(chest, u, v);
      const vessel = great[index]!;
      const tissue = Math.sqrt(belly * belly + heart * heart + middle * middle + vessel * vessel);
      if (tissue >= cavity) continue;
      const column = (Math.floor(u / TILE_STEP) + shiftU) & (TILE - 1);
      const row = (Math.floor(v / TILE_STEP) + shiftV) & (TILE - 1);
      maps.lung[index] = (cavity - tissue) * (1 - 0.03 * lungTexture[row * TILE + column]!);
    }
  }
}

/** Chord of spine, great vessels and oesophagus between the lungs, in mm: full above the heart, less behind it, where lung lies beside the spine. */
function mediastinum(chest: Chest, u: number, v: number): number {
  if (Math.abs(u) > 80) return 0;
  const spine = chest.spineCurve * Math.sin(v / 90);
  const low = smoothstep(70, 150, v);
  const front = u - spine - chest.shift * smoothstep(0, 80, v) - chest.twist * 0.3;
  // the right border is vena cava, the left one subclavian artery above and descending aorta below
  const half = front < 0 ? 24 + 8 * smoothstep(45, -20, v) - 3 * low : 21 + 11 * smoothstep(55, -20, v) + 2 * low;
  const t = front / half;
  const rest = 1 - t * t;
  return rest > 0 ? chest.halfDepth * (1.85 - 0.75 * low) * (0.5 * Math.sqrt(rest) + 0.5 * rest) : 0;
}

/** Where the heart lies, in mm. */
export function heartPlace(chest: Chest): { u: number; v: number; width: number } {
  const width = chest.heartWidth;
  return { u: 0.17 * width + chest.shift + 0.4 * chest.twist, v: (chest.domeRight + chest.domeLeft) / 2 + 17 - 0.36 * width, width };
}

/** Ventricles, atria and the waist with the outflow tracts. */
function drawHeart(raster: Raster, map: Thickness, chest: Chest): void {
  const { u, v, width } = heartPlace(chest);
  const angle = chest.heartAxis;
  const long = 0.58;
  const short = 0.38;
  const scale = (0.5 * width) / Math.hypot(long * Math.cos(angle), short * Math.sin(angle));
  const atrium = 0.28 * width;
  addMerged(raster, map, [
    { u, v, ru: long * scale, rv: short * scale, rz: 0.4 * width, angle },
    { u: u - 0.5 * width + atrium, v: v + 0.04 * width, ru: atrium, rv: 0.33 * width, rz: 0.3 * width },
    { u: u - 0.02 * width, v: v - 0.26 * width, ru: 0.26 * width, rv: 0.36 * width, rz: 0.26 * width, angle: 0.25 },
  ]);
}

/** Aortic arch with its knob, descending aorta, pulmonary trunk. */
function drawGreatVessels(raster: Raster, map: Thickness, chest: Chest): void {
  const { u, v, width } = heartPlace(chest);
  const knob = chest.aorticKnob;
  const arch = { u: 13 + 0.8 * knob + 0.7 * chest.shift + 0.3 * chest.twist, v: 0.26 * chest.domeRight };
  addMerged(raster, map, [
    { ...arch, ru: 0.95 * knob, rv: 1.15 * knob, rz: 30 },
    { u: arch.u - 3, v: arch.v + 75, ru: 0.8 * knob, rv: 110, rz: 15 },
    { u: u + 0.04 * width, v: v - 0.38 * width, ru: 0.17 * width, rv: 0.2 * width, rz: 26, angle: 0.5 },
  ]);
}

/** Adds solids that grow into each other: sqrt(sum of squared chords) leaves no edge where one enters another. */
function addMerged(raster: Raster, map: Thickness, solids: readonly Ellipsoid[]): void {
  const part = new Float32Array(map.length);
  const squares = new Float32Array(map.length);
  for (const solid of solids) {
    part.fill(0);
    addEllipsoid(raster, part, solid);
    for (let i = 0; i < part.length; i++) squares[i]! += part[i]! * part[i]!;
  }
  for (let i = 0; i < map.length; i++) if (squares[i]! > 0) map[i]! += Math.sqrt(squares[i]!);
}
