import { type Box, NIH_SIZE } from '../box.ts';
import type { Finding } from '../findings.ts';
import { type Random, random } from '../random.ts';
import { drawAnatomy, drawPose, drawVisit } from './anatomy.ts';
import { drawBones } from './bones.ts';
import { drawDevices, exposeOnDevice, shortcutMask } from './devices.ts';
import { type Exposure, expose, opticalThickness } from './film.ts';
import { DRAWERS } from './findings/drawers.ts';
import type { Drawer, Mask, Scene } from './findings/lesion.ts';
import { around, between } from './noise.ts';
import { drawAirways, drawBowelGas, drawSoftParts } from './organs.ts';
import type { PhantomImage } from './plan.ts';
import { eachPixel, placeRaster, type Raster, wholeWindow } from './raster.ts';
import type { Thickness } from './solids.ts';
import { drawThorax, emptyMaps } from './thorax.ts';
import { drawVessels } from './vessels.ts';

export interface RenderedImage {
  /** size x size, row-major, 8 bit. */
  pixels: Uint8Array;
  masks: Map<Finding, Mask>;
  /** Where shortcuts are drawn; null where there are none. */
  shortcuts: Mask | null;
  /** Width of the heart over the inner width of the chest. */
  cardiothoracicRatio: number;
  /** Size of the film in mm. */
  film: { width: number; height: number };
}

const FINDINGS_IN_ORDER = Object.keys(DRAWERS) as Finding[];

/** Draws one image of a phantom. It depends on `plan` and the data set's seed alone, never on what was drawn before. */
export function renderImage(plan: PhantomImage, options: { seed: number; size: number }): RenderedImage {
  const { seed, size } = options;
  const patient = `phantom/${seed}/${plan.patientId}`;
  const visit = random(`phantom/${seed}/${plan.name}`);
  const anatomy = drawAnatomy(random(`${patient}/build`), plan.sex, plan.buildAge, patient);
  const chest = drawVisit(visit, anatomy, plan.view);
  const pose = drawPose(visit, chest);
  const lesions = FINDINGS_IN_ORDER.flatMap((finding) => {
    const found = plan.findings.find((candidate) => candidate.finding === finding);
    return found ? [{ finding, drawer: DRAWERS[finding] as Drawer, grade: found.grade }] : [];
  });
  // every step draws from a fresh stream of the patient's finding: same place, same shape on every visit
  const site = (finding: Finding): Random => random(`${patient}/${finding}`);
  for (const { finding, drawer, grade } of lesions) drawer.reshape?.(chest, { grade, site: site(finding) });

  const raster = placeRaster(size, pose);
  const maps = emptyMaps(size);
  drawThorax(raster, maps, chest);
  drawSoftParts(raster, maps, chest);
  drawVessels(raster, maps.vessels, chest);
  drawBones(raster, maps.bone, chest);
  drawAirways(raster, maps, chest);
  drawBowelGas(raster, maps, bowelGas(visit, chest.domeLeft));
  const masks = new Map<Finding, Mask>();
  const scene: Scene = { raster, maps, chest };
  for (const { finding, drawer, grade } of lesions) masks.set(finding, drawer.paint(scene, { grade, site: site(finding) }));
  drawDevices(scene, plan, seed);

  const tau = opticalThickness(maps, chest.lungDensity);
  const usual = drawExposure(visit, plan);
  const exposure = plan.shortcuts.includes('device') ? exposeOnDevice(usual) : usual;
  return {
    pixels: expose(tau, raster, exposure, visit),
    masks,
    shortcuts: plan.shortcuts.length > 0 ? shortcutMask(scene, exposure, plan) : null,
    cardiothoracicRatio: heartWidth(raster, maps.heart) / (2 * chest.halfWidth),
    film: { width: pose.width, height: pose.height },
  };
}

/** Width of the heart's shadow in mm, as it is drawn. */
function heartWidth(raster: Raster, heart: Thickness): number {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  eachPixel(raster, wholeWindow(raster), (index, u) => {
    if (heart[index]! <= 0) return;
    from = Math.min(from, u);
    to = Math.max(to, u);
  });
  return to - from + raster.pitch;
}

function bowelGas(visit: Random, dome: number): { u: number; v: number; r: number }[] {
  return Array.from({ length: visit.int(4) }, () => ({
    u: between(visit, 20, 120),
    v: dome + between(visit, 55, 110),
    r: between(visit, 7, 17),
  }));
}

function drawExposure(visit: Random, plan: PhantomImage): Exposure {
  const ap = plan.view === 'AP';
  // now and then the collimator's edge is on the film
  const edge = (): number => (visit.next() < 0.12 ? between(visit, 0.005, 0.03) : 0);
  return {
    quanta: between(visit, ap ? 25_000 : 60_000, ap ? 80_000 : 150_000),
    scatter: between(visit, ap ? 0.55 : 0.3, ap ? 1.3 : 0.7),
    blur: between(visit, 0.3, ap ? 0.75 : 0.5),
    black: around(visit, 0.1, 0.09),
    white: around(visit, 0.12, 0.09),
    gamma: between(visit, 0.7, 1.08),
    collimation: [edge(), edge(), edge(), edge()],
  };
}

/** The bounds of a mask, in pixels of NIH's 1024 x 1024 files; null where the mask is empty. */
export function maskBox(mask: Mask, size: number): Box | null {
  let left = size;
  let right = -1;
  let top = size;
  let bottom = -1;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (mask[y * size + x] === 0) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) return null;
  const scale = NIH_SIZE / size;
  return { x: left * scale, y: top * scale, width: (right + 1 - left) * scale, height: (bottom + 1 - top) * scale };
}
