import { BOXED_FINDINGS, type BoxedFinding, CxrError } from '@cxr-lens/data';
import { binMap, checkThreshold, thresholdIous } from '../map/threshold-ious.ts';
import { curveOf } from './curve.ts';
import { chooseThreshold, FOLDS, patientParts } from './folds.ts';
import { fixedProtocol, PAPER_PROTOCOL } from './protocol.ts';
import type { LocalizationCurve, LocalizationOptions, LocalizationPair, LocalizationResult, PairIous, ScoredPair } from './types.ts';

const RESAMPLES = 2000;

/**
 * Localisation accuracy by the paper's protocol (section 3.3, after Li et al.): see `PAPER_PROTOCOL`.
 * @throws CxrError BAD_INPUT for two maps of one (image, finding), a map that does not fit its shape or is not finite
 */
export function localization(pairs: Iterable<LocalizationPair>, options: LocalizationOptions): LocalizationResult {
  const ious: PairIous[] = [];
  for (const pair of pairs) ious.push(pairIous(pair));
  return localizationOfIous(ious, options);
}

/** Reduces one pair to its IoU at each threshold, so that maps need not be held together. */
export function pairIous({ image, patientId, finding, box, map, height, width }: LocalizationPair): PairIous {
  try {
    return { image, patientId, finding, ious: thresholdIous(binMap(map, { height, width }), box) };
  } catch (error) {
    if (error instanceof CxrError) throw new CxrError(error.code, `${finding} map of ${image}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** As `localization`, from pairs reduced by `pairIous`. */
export function localizationOfIous(
  pairs: readonly PairIous[],
  { seed, threshold, resamples = RESAMPLES }: LocalizationOptions,
): LocalizationResult {
  checkUnique(pairs);
  if (threshold !== undefined) checkThreshold(threshold);
  const parts = patientParts(
    pairs.map(({ patientId }) => patientId),
    seed,
  );
  const curve = (finding: BoxedFinding): LocalizationCurve => {
    const own = pairs.filter((pair) => pair.finding === finding);
    const score = threshold === undefined ? scoreFolds(own, parts) : scoreFixed(own, threshold);
    return curveOf({ finding, ...score, seed, resamples });
  };
  return { protocol: threshold === undefined ? PAPER_PROTOCOL : fixedProtocol(threshold), seed, findings: byFinding(curve) };
}

/** One value for each boxed finding, in their order. */
function byFinding<T>(make: (finding: BoxedFinding) => T): Record<BoxedFinding, T> {
  return Object.fromEntries(BOXED_FINDINGS.map((finding) => [finding, make(finding)])) as Record<BoxedFinding, T>;
}

interface Score {
  scored: ScoredPair[];
  folds: number;
  foldThresholds: (number | null)[];
}

/** Part k chooses the threshold, the rest is scored with it; a fold without a choosing or a scored pair is left out. */
function scoreFolds(pairs: readonly PairIous[], parts: ReadonlyMap<string, number>): Score {
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
  return { scored, folds: FOLDS, foldThresholds };
}

function scoreFixed(pairs: readonly PairIous[], threshold: number): Score {
  const scored = pairs.map(({ image, patientId, ious }) => ({ image, patientId, ious: [ious[threshold]!] }));
  return { scored, folds: 1, foldThresholds: [threshold] };
}

function checkUnique(pairs: readonly PairIous[]): void {
  const seen = new Set<string>();
  for (const { image, finding } of pairs) {
    const key = `${image}\n${finding}`;
    if (seen.has(key)) throw new CxrError('BAD_INPUT', `two ${finding} pairs of ${image}: expected one (image, finding) pair once`);
    seen.add(key);
  }
}
