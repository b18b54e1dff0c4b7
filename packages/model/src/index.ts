export { codeVersion } from './code-version.ts';
export { type EngineInfo, engineInfo } from './engine/tensorflow.ts';
export { type EvaluateRequest, type Evaluation, evaluateRun } from './evaluate.ts';
export {
  type BitsRead,
  type ExplainRequest,
  explainEach,
  explainImages,
  type FindingExplanation,
  type ImageExplanation,
  type ImageRequest,
  type PlainMap,
} from './explain-images.ts';
export { exportRun } from './export-run.ts';
export { type ImportRequest, importWeights } from './interop/import-run.ts';
export { type LoadedRun, loadRun } from './load-run.ts';
export type { TrainRequest } from './plan.ts';
export { type ReportRequest, writeReport } from './report.ts';
export { readCard, readRun } from './run-folder.ts';
export { type TrainHooks, trainRun } from './train.ts';
