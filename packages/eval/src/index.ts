export { type Auc, auc, meanAuc } from './auc/auc.ts';
export { type AucBootstrap, type AucBootstrapInput, aucBootstrap } from './auc/bootstrap.ts';
export { type PairedDelong, pairedDelong } from './auc/delong.ts';
export { type AucDifference, type PairedAucBootstrap, type PairedAucInput, pairedAucBootstrap } from './auc/paired-bootstrap.ts';
export { type Calibration, calibrate, operatingPoint, type Platt, plattScale, probability } from './calibration.ts';
export { type ClaimedRelation, PAPER_CLAIMS, type PaperClaim, paperClaim } from './compare/claims.ts';
export { compareRuns } from './compare/compare.ts';
export type {
  AucComparison,
  CompareInput,
  MeanAucComparison,
  PathologyComparison,
  RunComparison,
  RunResults,
  ScoreTable,
  Truth,
} from './compare/types.ts';
export { type Adjusted, type ClaimVerdict, COMPARABLE_MARGIN } from './compare/verdict.ts';
export { localizationControls, nihControls, patchControls } from './localization/controls.ts';
export {
  type Difference,
  type DifferenceOptions,
  type DifferencesOptions,
  type LocalizationDifference,
  type LocalizationDifferences,
  localizationDifference,
  localizationDifferences,
} from './localization/difference.ts';
export { FOLDS, patientParts } from './localization/folds.ts';
export { localization, localizationOfIous, pairIous } from './localization/localization.ts';
export { nihLocalization } from './localization/nih.ts';
export { patchLocalization } from './localization/patches.ts';
export { poolLocalization } from './localization/pool.ts';
export { NIH_PROTOCOL, PAPER_PROTOCOL, PATCHES_PROTOCOL } from './localization/protocol.ts';
export {
  IOU_THRESHOLDS,
  type LocalizationControls,
  type LocalizationCurve,
  type LocalizationOptions,
  type LocalizationPair,
  type LocalizationPoint,
  type LocalizationResult,
  type NihCurve,
  type NihResult,
  type OnePassOptions,
  type PairIous,
  type Protocol,
  type ScoredPair,
} from './localization/types.ts';
export { cam, type FeatureMaps, scaleTo255 } from './map/cam.ts';
export { boxRegion, GRID_SIZE, iou, region, regionBox } from './map/region.ts';
export { upsampleBilinear } from './map/resample.ts';
export { saliencyImage } from './map/saliency.ts';
export { holm } from './p-values.ts';
export { aucCsv, comparisonCsv, localizationCsv } from './report/csv.ts';
export { epsilonFigure, explanationFigure } from './report/explanation-figure.ts';
export type { EpsilonFigureInput, Explanation, ExplanationFigureInput, FigureImage, Picture } from './report/picture.ts';
export { type PublishedCurves, publishedCurves } from './report/references.ts';
export { renderReport } from './report/report.ts';
export { type StatementInput, statement } from './report/statement.ts';
export type { Report, ReportAuc, ReportControls, ReportInput, ReportRun } from './report/types.ts';
