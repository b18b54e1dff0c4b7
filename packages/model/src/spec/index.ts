export { type Card, CardSchema } from './card.ts';
export { trainCommand } from './command.ts';
export {
  type AucFile,
  AucFileSchema,
  type AucRow,
  type Curve,
  type CurvePoint,
  IOU_COLUMNS,
  type IousFile,
  IousFileSchema,
  type LocalizationFile,
  LocalizationFileSchema,
  type Protocol,
  ProtocolSchema,
} from './evaluation.ts';
export { explodedNote, lossText } from './exploded.ts';
export { EXPORT_FORMATS, type ExportFormat, parseExportFormat } from './formats.ts';
export {
  type Imported,
  type ImportedFile,
  ImportedFileSchema,
  methodsOnImported,
  networkOnImported,
  parseTorchvisionNetwork,
  TORCHVISION_NETWORKS,
  type TorchvisionNetwork,
} from './imported.ts';
export { changedOptions, labelOf, variantOf } from './labels.ts';
export { METHOD_NAMES, METHODS, type MethodInfo, type MethodName, parseMethod } from './methods.ts';
export { featureShapeOf, NETWORKS, type NetworkName } from './networks.ts';
export type { Normalisation } from './normalisation.ts';
export {
  defaultOptions,
  fillOptions,
  fillWrittenOptions,
  MAX_SEED,
  optionsOf,
  parentMethod,
  parseSettings,
  parseTrainOptions,
  standardOptions,
  TRAIN_OPTION_NAMES,
  type TrainOptionName,
  type TrainOptions,
  TrainOptionsSchema,
  writtenOptions,
} from './options.ts';
export { PRESET_NAMES, PRESETS, type PresetInfo, type PresetName, parsePreset } from './presets.ts';
export { type DataRef, DataRefSchema, type Epoch, EpochSchema, isCardOf, RUN_STATES, type Run, RunSchema, type RunState } from './run.ts';
export { type End, earliestEnd, secondsLeft } from './stopping.ts';
export { parseEpsilons, SWEEP_EPSILONS, sweepOptions } from './sweep.ts';
