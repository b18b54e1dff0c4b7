import { type Box, findingLabel, parseFinding } from '@cxr-lens/data';
import type { Explanation } from '@cxr-lens/prisma';

type BoxColumns = Pick<Explanation, 'boxX' | 'boxY' | 'boxWidth' | 'boxHeight'>;

/** The predicted box in pixels of the image, or null. */
export function boxOf({ boxX: x, boxY: y, boxWidth: width, boxHeight: height }: BoxColumns): Box | null {
  return x === null || y === null || width === null || height === null ? null : { x, y, width, height };
}

/** Why there is no box, in words; null where there is one. */
export function boxReason(row: BoxColumns & Pick<Explanation, 'finding' | 'camThreshold' | 'camMin' | 'camMax'>): string | null {
  if (boxOf(row)) return null;
  if (row.camMin === row.camMax) return 'The map is the same everywhere: it points to no region.';
  if (row.camMax <= 0) return 'No positive evidence: the map is nowhere above zero.';
  const label = findingLabel(parseFinding(row.finding));
  if (row.camThreshold === null) return `No map threshold is known for ${label}: this run was not measured on boxes of it.`;
  return 'No part of the map reaches the threshold.';
}
