import { between, smoothstep, valueNoise } from '../noise.ts';
import { eachPixel, wholeWindow } from '../raster.ts';
import { addEllipsoid } from '../solids.ts';
import { domeHeight, heartPlace, innerHalfWidth } from '../thorax.ts';
import { type Drawer, emptyMask, fillLung, type Lesion, lungPlace, type Scene, type Side } from './lesion.ts';

/** Cardiothoracic ratio from which a heart counts as large; the finding starts just above. */
export const LARGE_HEART = 0.55;

export const cardiomegaly: Drawer = {
  reshape: (chest, { grade }) => {
    chest.heartWidth = (LARGE_HEART + 0.008 + 0.13 * grade ** 1.6) * 2 * chest.halfWidth;
    chest.vesselCentral *= 1 + 0.12 * grade;
    chest.heartAxis *= 0.85;
  },
  paint: (scene) => {
    const { raster, maps, chest } = scene;
    const mask = emptyMask(scene);
    const { v: middle, width } = heartPlace(chest);
    const top = middle - 0.44 * width; // the great vessels above do not count as heart
    eachPixel(raster, wholeWindow(raster), (index, u, v) => {
      if (maps.heart[index]! > 0 && v > top && v < domeHeight(chest, u) + 0.1 * width) mask[index] = 255;
    });
    return mask;
  },
};

interface Collapse {
  side: Side;
  /** Plates near the base, or a collapsed lobe: upper (fan from the hilum to the apex) or lower (triangle behind heart and dome). */
  kind: 'plates' | 'upper' | 'lower';
  loss: number;
}

function collapseOf(lesion: Lesion): Collapse {
  const side: Side = lesion.site.next() < 0.5 ? -1 : 1;
  const pick = lesion.site.next();
  const kind = pick < 0.62 ? 'plates' : pick < 0.84 ? 'lower' : 'upper';
  return { side, kind, loss: (kind === 'plates' ? 5 : 14) * (0.4 + 0.6 * lesion.grade) };
}

/** Lung without air that takes less room: plates, or a lobe; the dome rises and the mediastinum moves towards it. */
export const atelectasis: Drawer = {
  reshape: (chest, lesion) => {
    const { side, kind, loss } = collapseOf(lesion);
    if (side < 0) chest.domeRight -= loss;
    else chest.domeLeft -= loss;
    if (kind !== 'plates') chest.shift += side * loss * 0.6;
  },
  paint: (scene, lesion) => {
    const { chest } = scene;
    const { grade, site } = lesion;
    const { side, kind } = collapseOf(lesion);
    const mask = emptyMask(scene);
    if (kind === 'plates') {
      const middle = lungPlace(chest, side, between(site, 0.3, 0.6), between(site, 0.62, 0.88));
      const plates = 1 + site.int(2) + site.int(2);
      const length = between(site, 42, 74);
      const tilt = side * between(site, -0.15, 0.5);
      for (let plate = 0; plate < plates; plate++) {
        const offset = (plate - (plates - 1) / 2) * between(site, 12, 22);
        paintPlate(scene, mask, {
          u: middle.u + side * 4 * offset * 0.3,
          v: middle.v + offset,
          length: length * between(site, 0.7, 1),
          tilt: tilt + between(site, -0.12, 0.12),
          half: between(site, 4, 7),
          density: 0.18 + 0.34 * grade,
        });
      }
      return mask;
    }
    const noise = valueNoise(site, 24, 2);
    const density = 0.3 + 0.45 * grade;
    const dome = domeHeight(chest, side * 0.45 * chest.halfWidth);
    const width = between(site, 0.3, 0.48) * chest.halfWidth;
    const height = between(site, 48, 82);
    fillLung(scene, mask, {
      window: { uMin: Math.min(0, side * (width + 30)), uMax: Math.max(0, side * (width + 30)), vMin: -5, vMax: dome + 30 },
      maskFrom: 0.45 * density,
      weight: (u, v) => {
        const out = (u * side) / (width + 12);
        if (out < 0 || out > 1.1) return 0;
        // lower lobe: a triangle with its upright edge at the spine; upper lobe: above a line that hangs from wall to hilum
        const edge = kind === 'lower' ? dome - height * (1 - out) : 18 + 52 * (1 - out * out);
        const inside = kind === 'lower' ? v - edge : edge - v;
        return density * smoothstep(-5, 9, inside + 4 * noise(u, v)) * (1 - smoothstep(0.8, 1.05, out)) * smoothstep(0, 0.3, out + 0.1);
      },
    });
    return mask;
  },
};

function paintPlate(
  scene: Scene,
  mask: Uint8Array,
  plate: { u: number; v: number; length: number; tilt: number; half: number; density: number },
): void {
  const cos = Math.cos(plate.tilt);
  const sin = Math.sin(plate.tilt);
  const reach = plate.length / 2 + plate.half;
  fillLung(scene, mask, {
    window: { uMin: plate.u - reach, uMax: plate.u + reach, vMin: plate.v - reach, vMax: plate.v + reach },
    maskFrom: 0.3 * plate.density,
    weight: (u, v) => {
      const along = ((u - plate.u) * cos + (v - plate.v) * sin) / (plate.length / 2);
      const across = ((v - plate.v) * cos - (u - plate.u) * sin + 3 * along * along) / plate.half;
      return plate.density * (1 - smoothstep(0.1, 1.15, Math.abs(across))) * (1 - smoothstep(0.45, 1, Math.abs(along)));
    },
  });
}

/** Large dark lungs with few vessels far out, low flat domes, a narrow heart, now and then a bulla. */
export const emphysema: Drawer = {
  reshape: (chest, { grade }) => {
    const push = 8 + 22 * grade;
    chest.domeRight += push;
    chest.domeLeft += push;
    chest.domeFall *= 0.7 - 0.42 * grade;
    chest.lungDensity *= 0.86 - 0.36 * grade;
    chest.vesselPeripheral *= 0.85 - 0.45 * grade;
    chest.halfDepth *= 1.03 + 0.07 * grade;
    chest.heartWidth *= 0.96 - 0.08 * grade;
  },
  paint: (scene, { grade, site }) => {
    const { raster, maps, chest } = scene;
    const mask = emptyMask(scene);
    for (let i = 0; i < mask.length; i++) if (maps.lung[i]! > 30) mask[i] = 255;
    for (let bulla = 0; bulla < Math.round(3 * grade); bulla++) {
      const place = lungPlace(chest, site.next() < 0.5 ? -1 : 1, between(site, 0.4, 0.85), between(site, 0.12, 0.5));
      const radius = between(site, 11, 22);
      const bubble = new Float32Array(mask.length);
      addEllipsoid(raster, bubble, { ...place, ru: radius, rv: radius * 1.2, rz: radius });
      for (let i = 0; i < mask.length; i++) {
        if (bubble[i]! === 0 || maps.lung[i]! <= 0) continue;
        const air = Math.min(bubble[i]!, maps.lung[i]!);
        maps.air[i]! += air;
        maps.lung[i]! -= air;
        maps.vessels[i]! *= 0.5;
      }
    }
    return mask;
  },
};

/** Scarred lung: a net of fine lines, densest at base and wall; the domes stand higher. */
export const fibrosis: Drawer = {
  reshape: (chest, { grade }) => {
    chest.domeRight -= 4 + 12 * grade;
    chest.domeLeft -= 4 + 12 * grade;
  },
  paint: (scene, { grade, site }) => {
    const { chest } = scene;
    const mask = emptyMask(scene);
    const upper = site.next() < 0.2;
    const net = valueNoise(site, 8, 2);
    const second = valueNoise(site, 11, 2);
    const wide = valueNoise(site, 45, 2);
    const density = 0.12 + 0.26 * grade;
    const dome = (chest.domeRight + chest.domeLeft) / 2;
    fillLung(scene, mask, {
      window: { uMin: -chest.halfWidth, uMax: chest.halfWidth, vMin: 0, vMax: dome + 50 },
      maskFrom: 0.1 * density,
      weight: (u, v) => {
        const down = v / dome;
        const height = upper ? 1 - smoothstep(0.25, 0.6, down) : smoothstep(0.38, 0.95, down);
        const out = Math.abs(u) / innerHalfWidth(chest, v);
        const zone = height * (0.35 + 0.65 * smoothstep(0.3, 0.9, out)) * (1 + 0.4 * wide(u, v));
        if (zone <= 0.12) return 0;
        const line = Math.max(ridge(net(u, v)), ridge(second(u, v)));
        return density * zone * (0.4 + 0.75 * line);
      },
    });
    return mask;
  },
};

/** 1 on the zero lines of a noise, which form a net; 0 away from them. */
function ridge(value: number): number {
  return 1 - smoothstep(0.02, 0.42, Math.abs(value));
}
