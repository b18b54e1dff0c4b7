import type { Box, BoxedFinding } from '@cxr-lens/data';
import { scaleTo255 } from '../map/cam.ts';
import { regionParts } from '../map/parts.ts';
import { GRID_SIZE, type GridBox, gridBox, region } from '../map/region.ts';
import { upsampleBilinear } from '../map/resample.ts';
import { byFinding, namingMap, type PairIou, singlePass } from './pairs.ts';
import { NIH_LEVELS, NIH_PROTOCOL } from './protocol.ts';
import {
  IOU_THRESHOLDS,
  type LocalizationPair,
  type LocalizationResult,
  type NihCurve,
  type NihResult,
  type OnePassOptions,
} from './types.ts';

/** One box made from a heat map, against the box of the list. */
export interface BoxOverlap {
  iou: number;
  /** Intersection over the detected box. */
  iobb: number;
}

/** A pair reduced to its boxes' overlaps. */
interface PairBoxes {
  image: string;
  patientId: string;
  finding: BoxedFinding;
  boxes: BoxOverlap[];
}

/**
 * Localisation accuracy by NIH's own way, see `NIH_PROTOCOL`: `points` by IoU, `iobb` by intersection over the detected box, each with the
 * average number of false positives per image. Areas are pixels of the 224 x 224 grid, as everywhere; a box that both levels give counts
 * twice [ours].
 * @throws CxrError BAD_INPUT for two maps of one (image, finding), a map that does not fit its shape or is not finite
 */
export function nihLocalization(pairs: Iterable<LocalizationPair>, { seed, resamples }: OnePassOptions): NihResult {
  const measured: PairBoxes[] = [];
  for (const pair of pairs) {
    const { image, patientId, finding } = pair;
    measured.push({ image, patientId, finding, boxes: namingMap(pair, () => mapOverlaps(pair)) });
  }
  const curves = (of: keyof BoxOverlap): LocalizationResult => {
    const scored = measured.map(({ boxes, ...pair }): PairIou => ({ ...pair, iou: Math.max(0, ...boxes.map((box) => box[of])) }));
    return singlePass(scored, { protocol: NIH_PROTOCOL, seed, resamples });
  };
  const [byIou, byIobb] = [curves('iou'), curves('iobb')];
  const findings = byFinding((finding): NihCurve => {
    const own = measured.filter((pair) => pair.finding === finding);
    return {
      ...byIou.findings[finding],
      falsePositives: falsePositives(own, 'iou'),
      iobb: { points: byIobb.findings[finding].points, falsePositives: falsePositives(own, 'iobb') },
    };
  });
  return { ...byIou, findings };
}

/** The boxes that the two levels give, each against the box of the list. */
export function mapOverlaps({ map, height, width, box }: { map: Float32Array; height: number; width: number; box: Box }): BoxOverlap[] {
  const scaled = scaleTo255(upsampleBilinear(map, height, width, GRID_SIZE, GRID_SIZE));
  if (!scaled) return [];
  const truth = gridBox(box);
  return NIH_LEVELS.flatMap((level) => regionParts(region(scaled, level), GRID_SIZE).map((part) => overlap(part.box, truth)));
}

/** A detected box against the truth, both in whole pixels of one grid. */
export function overlap(detected: GridBox, truth: GridBox): BoxOverlap {
  const rows = Math.max(0, Math.min(detected.bottom, truth.bottom) - Math.max(detected.top, truth.top));
  const columns = Math.max(0, Math.min(detected.right, truth.right) - Math.max(detected.left, truth.left));
  const intersection = rows * columns;
  const area = ({ top, bottom, left, right }: GridBox) => (bottom - top) * (right - left);
  return { iou: intersection / (area(detected) + area(truth) - intersection), iobb: intersection / area(detected) };
}

/** Boxes that do not hit, per image, at every T; null without an image. */
function falsePositives(pairs: readonly PairBoxes[], of: keyof BoxOverlap): number[] | null {
  if (pairs.length === 0) return null;
  const all = pairs.flatMap(({ boxes }) => boxes.map((box) => box[of]));
  return IOU_THRESHOLDS.map((t) => all.filter((value) => !(value > t)).length / pairs.length);
}
