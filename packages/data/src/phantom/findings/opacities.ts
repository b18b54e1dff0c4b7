import { between, valueNoise } from '../noise.ts';
import { addTube } from '../solids.ts';
import { hilum } from '../vessels.ts';
import { around, blob, type Drawer, emptyMask, fillLung, type Lesion, lungPlace, type Mask, type Scene, type Side } from './lesion.ts';

interface Opacity {
  /** Chance of a second lung. */
  bilateral: number;
  /** Half axes in mm: from, to. */
  radius: readonly [number, number];
  /** Height in the lung: from, to. */
  down: readonly [number, number];
  /** Share of the lung's air that is gone: barely there, obvious. */
  density: readonly [number, number];
  /** Contrast of its mottling, and how slowly it thins out: see `blob`. */
  mottled: number;
  flat: number;
  bronchograms: boolean;
}

/** How far an opacity's border wanders, in units of its radius. */
const RAGGED = 0.3;

/** Patchy to lobar opacities; the three findings differ in density, size and texture. */
function paintOpacity(scene: Scene, { grade, site }: Lesion, kind: Opacity): Mask {
  const mask = emptyMask(scene);
  const first: Side = site.next() < 0.54 ? -1 : 1;
  const sides: Side[] = site.next() < kind.bilateral ? [first, first === 1 ? -1 : 1] : [first];
  const density = kind.density[0] + (kind.density[1] - kind.density[0]) * grade;
  for (const side of sides) {
    const noise = valueNoise(site, 26, 3);
    const texture = valueNoise(site, 15, 3);
    const down = between(site, ...kind.down);
    const centre = lungPlace(scene.chest, side, between(site, 0.3, 0.66), down);
    const ru = between(site, ...kind.radius) * (0.85 + 0.25 * grade);
    const place = { ...centre, ru, rv: ru * between(site, 0.95, 1.4) };
    const shape = blob(place, noise, { ragged: RAGGED, flat: kind.flat });
    const airways = kind.bronchograms ? bronchograms(scene, side, place) : null;
    const { size, u0, ux, uy, v0, vx, vy } = scene.raster;
    fillLung(scene, mask, {
      window: around(place, RAGGED),
      maskFrom: 0.3 * density,
      weight: (u, v) => {
        const inside = shape(u, v);
        if (inside === 0) return 0;
        let weight = density * inside * (1 + kind.mottled * texture(u, v));
        if (airways) {
          const det = ux * vy - uy * vx;
          const x = Math.round(((u - u0) * vy - (v - v0) * uy) / det);
          const y = Math.round(((v - v0) * ux - (u - u0) * vx) / det);
          weight *= 1 - 0.06 * Math.min(4, airways[y * size + x]!);
        }
        return Math.max(0, Math.min(0.97, weight));
      },
    });
  }
  return mask;
}

/** Air-filled bronchi that branch from the hilum through an opacity, in mm of air. */
function bronchograms(scene: Scene, side: Side, place: { u: number; v: number; ru: number; rv: number }): Float32Array {
  const air = new Float32Array(scene.raster.size * scene.raster.size);
  const root = hilum(scene.chest, side);
  for (const turn of [-0.35, 0.1, 0.5]) {
    const end = { u: place.u + place.ru * 0.9 * Math.sin(turn * 2) * side, v: place.v + place.rv * 0.9 * Math.cos(turn * 2) };
    const middle = { u: (root.u + place.u) / 2 + 4 * turn, v: (root.v + place.v) / 2 };
    addTube(scene.raster, air, [
      { ...root, radius: 2.6 },
      { ...middle, radius: 2.2 },
      { u: place.u + 0.25 * place.ru * turn, v: place.v + 0.3 * place.rv * turn, radius: 1.8 },
      { ...end, radius: 1 },
    ]);
  }
  return air;
}

/** Thin, patchy, soft-edged: density 0.12 ... 0.4. */
export const infiltration: Drawer = {
  paint: (scene, lesion) =>
    paintOpacity(scene, lesion, {
      bilateral: 0.2,
      radius: [36, 62],
      down: [0.42, 0.9],
      density: [0.13, 0.42],
      mottled: 0.55,
      flat: 1,
      bronchograms: false,
    }),
};

/** Denser, of one segment or lobe, mostly low. */
export const pneumonia: Drawer = {
  paint: (scene, lesion) =>
    paintOpacity(scene, lesion, {
      bilateral: 0.12,
      radius: [38, 62],
      down: [0.42, 0.88],
      density: [0.26, 0.68],
      mottled: 0.3,
      flat: 0.85,
      bronchograms: false,
    }),
};

/** Solid lung with a sharp border and air bronchograms. */
export const consolidation: Drawer = {
  paint: (scene, lesion) =>
    paintOpacity(scene, lesion, {
      bilateral: 0.1,
      radius: [34, 56],
      down: [0.2, 0.85],
      density: [0.4, 0.88],
      mottled: 0.12,
      flat: 0.5,
      bronchograms: true,
    }),
};

/** Fluid in the lung: haze around the hila on both sides, thick vessels above all, Kerley B lines at the wall. */
export const edema: Drawer = {
  reshape: (chest, { grade }) => {
    chest.vesselCentral *= 1.1 + 0.4 * grade;
    chest.vesselPeripheral *= 1.15 + 0.5 * grade;
    chest.lungDensity *= 1.05 + 0.25 * grade;
  },
  paint: (scene, { grade, site }) => {
    const mask = emptyMask(scene);
    const density = 0.08 + 0.36 * grade;
    for (const side of [-1, 1] as const) {
      const noise = valueNoise(site, 20, 3);
      const root = hilum(scene.chest, side);
      const place = { u: root.u + side * 24, v: root.v + 30, ru: 62, rv: 92 };
      fillLung(scene, mask, {
        window: around(place, 0.3),
        maskFrom: 0.38 * density,
        weight: (u, v) => {
          const r2 = ((u - place.u) / place.ru) ** 2 + ((v - place.v) / place.rv) ** 2;
          return r2 > 1.6 ? 0 : Math.max(0, density * Math.exp(-1.5 * r2) * (1 + 0.5 * noise(u, v)));
        },
      });
      drawKerleyLines(scene, side, grade);
    }
    return mask;
  },
};

/** Short level lines of thick septa, at right angles to the wall above the costophrenic angle. */
function drawKerleyLines(scene: Scene, side: Side, grade: number): void {
  for (let line = 0; line < 7; line++) {
    const outer = lungPlace(scene.chest, side, 0.985, 0.7 + 0.035 * line);
    const length = 14 + 3 * (line % 3);
    const axis = [
      { u: outer.u, v: outer.v, radius: 1 },
      { u: outer.u - side * length, v: outer.v - 1.5, radius: 0.7 },
    ];
    addTube(scene.raster, scene.maps.vessels, axis, { weight: 2 + 6 * grade });
  }
}
