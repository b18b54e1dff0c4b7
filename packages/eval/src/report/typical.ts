import { BOXED_FINDINGS, type BoxedFinding } from '@cxr-lens/data';
import type { LocalizationResult } from '../localization/types.ts';

/** An (image, finding) pair of the box list. */
export interface NamedPair {
  finding: BoxedFinding;
  image: string;
}

/** IoU of one pair, mean over the folds that score it; null where none does. */
export function pairIou({ findings }: LocalizationResult, { finding, image }: NamedPair): number | null {
  const pair = findings[finding].scored.find((scored) => scored.image === image);
  const known = (pair?.ious ?? []).filter((value) => value !== null);
  return known.length > 0 ? known.reduce((total, value) => total + value, 0) / known.length : null;
}

/**
 * Of every boxed finding the pair that neither flatters nor harms: the one whose IoU, or whose IoU minus that of `minus`, is the lower
 * median of all pairs of the finding; the first by name among equals. A finding without a scored pair has none.
 */
export function typicalPairs(of: LocalizationResult, minus: LocalizationResult | null): NamedPair[] {
  return BOXED_FINDINGS.flatMap((finding) => {
    const ranked = of.findings[finding].scored.flatMap(({ image }) => {
      const pair = { finding, image };
      const [iou, other] = [pairIou(of, pair), minus ? pairIou(minus, pair) : 0];
      return iou === null || other === null ? [] : [{ pair, value: iou - other }];
    });
    ranked.sort((a, b) => a.value - b.value || (a.pair.image < b.pair.image ? -1 : 1));
    const median = ranked[Math.floor((ranked.length - 1) / 2)]?.value;
    const typical = ranked.find(({ value }) => value === median);
    return typical ? [typical.pair] : [];
  });
}
