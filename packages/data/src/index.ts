export { type Box, NIH_SIZE, scaleBox } from './box.ts';
export { renameDurable, syncFolderSync, writeDurable, writeDurableSync } from './durable.ts';
export { CxrError, ERROR_CODES, type ErrorCode, throwIfCancelled } from './error.ts';
export { waitForLock } from './file-lock.ts';
export {
  BOXED_FINDINGS,
  type BoxedFinding,
  FINDINGS,
  type Finding,
  findingLabel,
  findingNamed,
  isBoxedFinding,
  parseFinding,
} from './findings.ts';
export { cxrHome, PRIVATE_UMASK } from './home.ts';
export { rotateLog } from './log-file.ts';
export { type MapScales, readMapScales, SCALES_FILE, scaledBack } from './map-scales.ts';
export { readBoxes } from './nih/boxes.ts';
export { type KnownBox, type NihFolder, type NihImage, type ReadNihOptions, readNih, SPLITS, type Split } from './nih/nih.ts';
export { headerText, isBlank, lineOf, numberOf, readTable, rowError, type Table } from './nih/table.ts';
export { decodeNpy, encodeNpy, type NpyArray, type NpyType, readNpy, writeNpy } from './npy.ts';
export { deleteObject, getObject, listObjects, objectFile, putObject, type StoredFile } from './objects.ts';
export { CHILD_ENV, EXIT_TRY_AGAIN, onParentEnd } from './parent.ts';
export { type WritePhantomOptions, type WritePhantomResult, writePhantom } from './phantom/write.ts';
export type { BitsInUse, BitsOptions, BitsSource } from './pixels/bits.ts';
export { decodeImage, decodeSquashed, isPreprocessingVersion, type PreprocessingVersion, preprocessingOf } from './pixels/decode.ts';
export type { DecodedImage, DicomAttributes, GreyImage, ImageFormat, RgbImage } from './pixels/image.ts';
export { squash } from './pixels/raster.ts';
export { openPrepared, type PreparedData, type PreparedImage } from './prepared/open.ts';
export { type PrepareOptions, type PrepareResult, prepare } from './prepared/prepare.ts';
export { answerTasks } from './processes/answer.ts';
export { decodeApart, type Encoded, squashApart } from './processes/decode-apart.ts';
export { type Processes, startProcesses } from './processes/processes.ts';
export type { OnProgress, Progress } from './progress.ts';
export { type Random, random } from './random.ts';
export { inferno } from './render/colormap.ts';
export { type OverlayOptions, outlineBox, overlayCam, renderSaliency } from './render/overlay.ts';
export { encodeGreyPng, encodeRgbPng } from './render/png.ts';
export { renderSvg } from './render/svg.ts';
export { roomIn } from './room.ts';
