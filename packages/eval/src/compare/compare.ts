import { BOXED_FINDINGS, type BoxedFinding, type Finding } from '@cxr-lens/data';
import { curveOf } from '../localization/curve.ts';
import { localizationDifferences } from '../localization/difference.ts';
import type { LocalizationCurve, LocalizationResult } from '../localization/types.ts';
import { holm } from '../p-values.ts';
import { compareAucs } from './auc.ts';
import { type PaperClaim, paperClaim } from './claims.ts';
import { judged, type PartOptions } from './judged.ts';
import { localizationSentence } from './sentences.ts';
import type { CompareInput, PathologyComparison, RunComparison } from './types.ts';
import { adjusted } from './verdict.ts';

/**
 * Run A beside run B on the same test images: per boxed finding the localisation accuracy, per finding the AUC, each as a paired
 * difference with interval and a p-value adjusted over the findings (Holm), and in words whether the paper's finding is there.
 *
 * Intervals and p-values are about patients: they say what other patients would have changed, not what training again would.
 * Runs measured by two protocols are compared on the pairs that both hold, and the result names both protocols.
 * @throws CxrError BAD_INPUT for curves of one protocol with different folds, scores that do not fit the truth, two scores of one image
 */
export function compareRuns({ a, b, truth = null, seed = 0, resamples = 2000 }: CompareInput): RunComparison {
  const claims = (about: PaperClaim['about']) => (finding: Finding | 'mean') =>
    a.method === null || b.method === null ? null : paperClaim({ about, a: a.method, b: b.method, finding });
  const options = { labels: { a: a.label, b: b.label }, seed, resamples };
  const curves = a.localization && b.localization ? { a: a.localization, b: b.localization } : null;
  return {
    a: a.label,
    b: b.label,
    protocols: curves && { a: curves.a.protocol, b: curves.b.protocol },
    localization: curves ? compareCurves(curves, { ...options, claimOf: claims('localization') }) : [],
    auc: truth && a.scores && b.scores ? compareAucs({ a: a.scores, b: b.scores, truth }, { ...options, claimOf: claims('auc') }) : null,
  };
}

function compareCurves(
  curves: { a: LocalizationResult; b: LocalizationResult },
  { labels, claimOf, seed, resamples }: PartOptions,
): PathologyComparison[] {
  const acrossProtocols = curves.a.protocol.name !== curves.b.protocol.name;
  const differences = BOXED_FINDINGS.map((finding) => {
    const [a, b] = onCommonPairs(finding, { a: curves.a.findings[finding], b: curves.b.findings[finding] });
    return localizationDifferences(a, b, { seed, resamples, acrossProtocols });
  });
  const adjustedMeans = holm(differences.map(({ mean }) => mean.p));
  const adjustedAt03 = holm(differences.map(({ points }) => at03(points).p));
  return BOXED_FINDINGS.map((finding, index) => {
    const { mean, points } = differences[index]!;
    const tested = adjusted(mean, adjustedMeans[index]!);
    return {
      finding,
      pairs: mean.pairs,
      mean: tested,
      at03: adjusted(at03(points), adjustedAt03[index]!),
      points,
      ...judged(localizationSentence({ ...labels, finding }, tested), claimOf(finding), tested),
    };
  });
}

function at03<T extends { iouThreshold: number }>(points: readonly T[]): T {
  return points.find(({ iouThreshold }) => iouThreshold === 0.3)!;
}

/** Both curves on the pairs that both hold; a run that trained on some of the boxes is scored on the others alone. */
function onCommonPairs(
  finding: BoxedFinding,
  { a, b }: { a: LocalizationCurve; b: LocalizationCurve },
): [LocalizationCurve, LocalizationCurve] {
  const [inA, inB] = [a, b].map(({ scored }) => new Set(scored.map(({ image }) => image)));
  const restricted = (curve: LocalizationCurve, other: Set<string>): LocalizationCurve => {
    const scored = curve.scored.filter(({ image }) => other.has(image));
    if (scored.length === curve.scored.length) return curve;
    const { foldThresholds } = curve;
    return curveOf({ finding, scored, folds: foldThresholds.length, foldThresholds, seed: 0, resamples: 0 });
  };
  return [restricted(a, inB!), restricted(b, inA!)];
}
