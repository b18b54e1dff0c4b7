import { type Box, findingLabel, isBoxedFinding, parseFinding } from '@cxr-lens/data';
import { parseMethod } from '@cxr-lens/model/spec';
import type { Explanation } from '@cxr-lens/prisma';
import { mapKind } from './methods.ts';

type BoxColumns = Pick<Explanation, 'boxX' | 'boxY' | 'boxWidth' | 'boxHeight'>;

/** The predicted box in pixels of the image, or null. */
export function boxOf({ boxX: x, boxY: y, boxWidth: width, boxHeight: height }: BoxColumns): Box | null {
  return x === null || y === null || width === null || height === null ? null : { x, y, width, height };
}

type Mapped = BoxColumns & Pick<Explanation, 'finding' | 'camThreshold' | 'camMin' | 'camMax'>;

/** Why there is no box, in words that fit the method's map; null where there is one. */
export function boxReason(row: Mapped & { run: { method: string } }): string | null {
  if (boxOf(row)) return null;
  const kind = mapKind(parseMethod(row.run.method));
  if (kind === 'PATCH_SCORES') return 'No patch has a score above 0.5.';
  if (row.camMin === row.camMax) return 'The map is the same everywhere: it points to no region.';
  if (row.camMax <= 0) return 'No positive evidence: the map is nowhere above zero.';
  if (row.camThreshold !== null) return 'No part of the map reaches the threshold.';
  const finding = parseFinding(row.finding);
  const why = isBoxedFinding(finding) ? 'this run was not measured on boxes of it' : 'no boxes of it exist to choose one on';
  const what = kind === 'CAM' ? 'map threshold is known for' : 'threshold is known for how much the walk must change an image for';
  return `No ${what} ${findingLabel(finding)}: ${why}.`;
}
