export { type Auc, auc, meanAuc } from './auc/auc.ts';
export { type AucBootstrap, type AucBootstrapInput, aucBootstrap } from './auc/bootstrap.ts';
export { FEW_CASES_REASON, isFewCases, meanHasInterval } from './auc/cases.ts';
export { type Calibration, calibrate, operatingPoint, type Platt, plattScale, probability } from './calibration.ts';
export { compareRuns } from './compare/compare.ts';
export type { RunComparison, RunResults, ScoreTable, Truth } from './compare/types.ts';
export { VERDICT_RESAMPLES, VERDICT_SEED } from './compare/verdict.ts';
export { centreIous, centrePatchIous, localizationControls, nihControls, patchControls } from './localization/controls.ts';
export { type DifferenceOptions, type LocalizationDifference, localizationDifference } from './localization/difference.ts';
export { FOLDS, patientParts } from './localization/folds.ts';
export { localization, localizationOfIous, pairIous } from './localization/localization.ts';
export { nihLocalization } from './localization/nih.ts';
export { poolIous } from './localization/pair-scores.ts';
export { patchIous, patchLocalization } from './localization/patches.ts';
export { poolLocalization } from './localization/pool.ts';
export { PAPER_PROTOCOL, PATCH_THRESHOLD, PATCHES_PROTOCOL } from './localization/protocol.ts';
export { withoutEmptyWidth, withRareHits } from './localization/rare-hits.ts';
export {
  IOU_THRESHOLDS,
  type IouTable,
  type LocalizationControls,
  type LocalizationCurve,
  type LocalizationOptions,
  type LocalizationPair,
  type LocalizationPoint,
  type LocalizationResult,
  type PairIous,
  type Protocol,
  type ScoredPair,
} from './localization/types.ts';
export { cam, type FeatureMaps, scaleTo255 } from './map/cam.ts';
export { boxRegion, GRID_SIZE, iou, region, regionBox } from './map/region.ts';
export { nearestCells, upsampleBilinear } from './map/resample.ts';
export { saliencyImage } from './map/saliency.ts';
export { type ComparisonReportInput, renderComparison } from './report/comparison-report.ts';
export type { EpsilonFigureInput, ExplanationFigureInput } from './report/picture.ts';
export { type PublishedCurves, publishedCurves } from './report/references.ts';
export { renderReport } from './report/report.ts';
export type { Report, ReportAuc, ReportControls, ReportInput, ReportRun } from './report/types.ts';
export { type NamedPair, pairIou, typicalPairs } from './report/typical.ts';
