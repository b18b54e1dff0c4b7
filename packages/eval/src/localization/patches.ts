import { CxrError } from '@cxr-lens/data';
import { boxCells } from '../map/cells.ts';
import { namingMap, singlePass } from './pairs.ts';
import { PATCH_THRESHOLD, PATCHES_PROTOCOL } from './protocol.ts';
import type { LocalizationPair, LocalizationResult, OnePassOptions, PairIous } from './types.ts';

/**
 * Localisation accuracy of patch scores, see `PATCHES_PROTOCOL`: no threshold is chosen and there are no folds. Runs that were trained on
 * boxes are each scored on their own held-out part and pooled by `poolLocalization`.
 * @param pairs `map` holds the patches' scores, probabilities in [0, 1]
 * @throws CxrError BAD_INPUT for two maps of one (image, finding), a map that does not fit its shape, values outside [0, 1]
 */
export function patchLocalization(pairs: Iterable<LocalizationPair>, { seed, resamples }: OnePassOptions): LocalizationResult {
  const scored = patchIous(pairs).map(({ ious, ...pair }) => ({ ...pair, iou: ious[0]! }));
  return singlePass(scored, { protocol: PATCHES_PROTOCOL, seed, resamples });
}

/** Each pair reduced to its one IoU. Errors as of `patchLocalization`. */
export function patchIous(pairs: Iterable<LocalizationPair>): PairIous[] {
  return Array.from(pairs, (pair): PairIous => {
    const { image, patientId, finding } = pair;
    return { image, patientId, finding, ious: Float64Array.of(namingMap(pair, () => patchIou(pair))) };
  });
}

/** IoU of the patches above the threshold, brought to the grid by nearest neighbour, with the box. */
function patchIou({ map, height, width, box }: LocalizationPair): number {
  if (map.length !== height * width) throw new CxrError('BAD_INPUT', `map of ${map.length} values: expected ${height} x ${width}`);
  const { rows, columns, boxArea } = boxCells(box, { height, width });
  let area = 0;
  let intersection = 0;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const score = map[i * width + j]!;
      if (!(score >= 0 && score <= 1)) throw new CxrError('BAD_INPUT', `patch score ${score}: expected a probability, 0 to 1, not a logit`);
      if (score <= PATCH_THRESHOLD) continue;
      area += rows[i]!.all * columns[j]!.all;
      intersection += rows[i]!.inside * columns[j]!.inside;
    }
  }
  const union = area + boxArea - intersection;
  return union > 0 ? intersection / union : 0;
}
