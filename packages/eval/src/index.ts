export { type Auc, auc, meanAuc } from './auc/auc.ts';
export { type AucBootstrap, type AucBootstrapInput, aucBootstrap } from './auc/bootstrap.ts';
export { type Calibration, calibrate, operatingPoint, type Platt, plattScale, probability } from './calibration.ts';
export type { ScoreTable, Truth } from './compare/types.ts';
export { localizationControls } from './localization/controls.ts';
export { type DifferenceOptions, type LocalizationDifference, localizationDifference } from './localization/difference.ts';
export { localization, localizationOfIous, pairIous } from './localization/localization.ts';
export { PAPER_PROTOCOL } from './localization/protocol.ts';
export {
  IOU_THRESHOLDS,
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
export { upsampleBilinear } from './map/resample.ts';
export { saliencyImage } from './map/saliency.ts';
export { type PublishedCurves, publishedCurves } from './report/references.ts';
export { renderReport } from './report/report.ts';
export { type StatementInput, statement } from './report/statement.ts';
export type { Report, ReportAuc, ReportControls, ReportInput, ReportRun } from './report/types.ts';
