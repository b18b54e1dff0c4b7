import { type Box, isBoxedFinding, NIH_SIZE, scaleBox } from '@cxr-lens/data';
import { GRID_SIZE, nearestCells, PATCH_THRESHOLD, region, regionBox, scaleTo255, upsampleBilinear } from '@cxr-lens/eval';
import type { LoadedRun } from './load-run.ts';
import type { EvidenceMap } from './maps.ts';

interface Located {
  camThreshold: number | null;
  /** Around the largest connected part of the region, in pixels of the image; null for an empty region. */
  box: Box | null;
}

type Where = Pick<LoadedRun, 'network' | 'card'> & { image: { width: number; height: number } };

/** The region of a map by the protocol of its kind: where it begins on the map's scale of 0 to 255, and its box. */
export function located(map: EvidenceMap, { network, card, image }: Where): Located {
  const inPixels = (box: Box | null): Box | null => box && scaleBox(box, { width: NIH_SIZE, height: NIH_SIZE }, image);
  if (network.evidence.kind === 'patches') return { camThreshold: scaledThreshold(map), box: inPixels(regionBox(patchRegion(map))) };
  const camThreshold = isBoxedFinding(map.finding) ? (card.camThresholds?.values[map.finding] ?? null) : null;
  const scaled = camThreshold === null ? null : scaleTo255(onGrid(map));
  return { camThreshold, box: scaled && camThreshold !== null ? inPixels(regionBox(region(scaled, camThreshold))) : null };
}

function onGrid({ map, height, width }: EvidenceMap): Float32Array {
  return upsampleBilinear(map, height, width, GRID_SIZE, GRID_SIZE);
}

/** Patches above the threshold by nearest neighbour, as they are scored: [224, 224]. */
function patchRegion({ map, height, width }: EvidenceMap): Uint8Array {
  const [rows, columns] = [nearestCells(height, GRID_SIZE), nearestCells(width, GRID_SIZE)];
  return Uint8Array.from({ length: GRID_SIZE * GRID_SIZE }, (_, i) => {
    const cell = rows[Math.floor(i / GRID_SIZE)]! * width + columns[i % GRID_SIZE]!;
    return map[cell]! > PATCH_THRESHOLD ? 1 : 0;
  });
}

/**
 * Where the patches' threshold lies when the map is drawn as every other: bilinearly, from its least to its greatest value. 0 where all of
 * it is above, 256 where all is below; null for a constant map.
 */
function scaledThreshold(map: EvidenceMap): number | null {
  const grid = onGrid(map);
  const least = grid.reduce((a, b) => Math.min(a, b));
  const greatest = grid.reduce((a, b) => Math.max(a, b));
  if (greatest === least) return null;
  return Math.min(256, Math.max(0, (255 * (PATCH_THRESHOLD - least)) / (greatest - least)));
}
