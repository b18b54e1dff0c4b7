import { binMap, checkThreshold, thresholdIous } from '../map/threshold-ious.ts';
import { curveOf } from './curve.ts';
import { chooseThreshold, FOLDS, patientParts } from './folds.ts';
import { byFinding, checkUnique, namingMap, RESAMPLES, singlePass } from './pairs.ts';
import { fixedProtocol, PAPER_PROTOCOL } from './protocol.ts';
import type { LocalizationOptions, LocalizationPair, LocalizationResult, PairIous, ScoredPair } from './types.ts';

/**
 * Localisation accuracy by the paper's protocol (section 3.3, after Li et al.): see `PAPER_PROTOCOL`.
 * @throws CxrError BAD_INPUT for two maps of one (image, finding), a map that does not fit its shape or is not finite
 */
export function localization(pairs: Iterable<LocalizationPair>, options: LocalizationOptions): LocalizationResult {
  return localizationOfIous(Array.from(pairs, pairIous), options);
}

/** Reduces one pair to its IoU at each threshold, so that maps need not be held together. */
export function pairIous(pair: LocalizationPair): PairIous {
  const { image, patientId, finding, box, map } = pair;
  return { image, patientId, finding, ious: namingMap(pair, () => thresholdIous(binMap(map, pair), box)) };
}

/** As `localization`, from pairs reduced by `pairIous`, 256 IoUs each. */
export function localizationOfIous(
  pairs: readonly PairIous[],
  { seed, threshold, resamples = RESAMPLES }: LocalizationOptions,
): LocalizationResult {
  if (threshold !== undefined) {
    checkThreshold(threshold);
    const scored = pairs.map(({ ious, ...pair }) => ({ ...pair, iou: ious[threshold]! }));
    return singlePass(scored, { protocol: fixedProtocol(threshold), seed, resamples, threshold });
  }
  checkUnique(pairs);
  const parts = patientParts(
    pairs.map(({ patientId }) => patientId),
    seed,
  );
  const findings = byFinding((finding) => {
    const own = pairs.filter((pair) => pair.finding === finding);
    return curveOf({ finding, ...scoreFolds(own, parts), folds: FOLDS, seed, resamples });
  });
  return { protocol: PAPER_PROTOCOL, seed, findings };
}

interface Score {
  scored: ScoredPair[];
  foldThresholds: (number | null)[];
}

/** Part k chooses the threshold, the rest is scored with it; a fold without a choosing or a scored pair is left out. */
export function scoreFolds(pairs: readonly PairIous[], parts: ReadonlyMap<string, number>): Score {
  const partOf = (pair: PairIous) => parts.get(pair.patientId)!;
  const foldThresholds = Array.from({ length: FOLDS }, (_, fold) => {
    const choosing = pairs.filter((pair) => partOf(pair) === fold);
    return choosing.length > 0 && choosing.length < pairs.length ? chooseThreshold(choosing) : null;
  });
  const scored = pairs.map((pair) => ({
    image: pair.image,
    patientId: pair.patientId,
    ious: foldThresholds.map((value, fold) => (value === null || partOf(pair) === fold ? null : pair.ious[value]!)),
  }));
  return { scored, foldThresholds };
}
