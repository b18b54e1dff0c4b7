import { CxrError, type PreparedData } from '@cxr-lens/data';
import { FOLDS, patientParts } from '@cxr-lens/eval';
import { boxedPatients } from './ious.ts';
import { sha256 } from './run-folder.ts';
import { METHODS, type MethodName, type Run } from './spec/index.ts';

// One partition for all folds and all seeds of runs: five folds together score every boxed patient once.
const PARTITION_SEED = 0;

/** The part, 0 ... 4, of every patient who has a box among the test images. */
function boxedParts(data: PreparedData): Map<string, number> {
  return patientParts(boxedPatients(data), PARTITION_SEED);
}

/** The boxed test images of patients outside the fold's part: those that Supervised trains on. */
function trainedTestRows(data: PreparedData, fold: number): number[] {
  const parts = boxedParts(data);
  const boxed = data.rows('test').filter((row) => data.images[row]!.boxes.length > 0);
  return boxed.filter((row) => parts.get(data.images[row]!.patientId) !== fold);
}

/** What a run records of the test images that it trains on, whatever file they are prepared into at this size: SHA-256 of their pixels. */
export function trainedTestImages({ method, options }: Pick<Run, 'method' | 'options'>, data: PreparedData): string[] {
  return METHODS[method].loss === 'patches' ? trainedTestRows(data, options.fold).map((row) => sha256(data.pixels(row))) : [];
}

/** The images that a run trains on: indices into `data.images`. */
export function trainingRows({ method, options }: Pick<Run, 'method' | 'options'>, data: PreparedData): number[] {
  const rows = data.rows('train');
  return METHODS[method].loss === 'patches' ? [...rows, ...trainedTestRows(data, options.fold)] : rows;
}

/** The test images that a run may be scored on, and how many patients are left out because it trained on an image of theirs. */
export function scoredRows(run: Pick<Run, 'trainedTestImages'>, data: PreparedData): { rows: number[]; excludedPatients: number } {
  const rows = data.rows('test');
  if (run.trainedTestImages.length === 0) return { rows, excludedPatients: 0 };
  const trained = new Set(run.trainedTestImages);
  const excluded = new Set(rows.filter((row) => trained.has(sha256(data.pixels(row)))).map((row) => data.images[row]!.patientId));
  return { rows: rows.filter((row) => !excluded.has(data.images[row]!.patientId)), excludedPatients: excluded.size };
}

/** CxrError BAD_INPUT where the data has not the boxes that the method trains on. */
export function checkBoxes(method: MethodName, data: PreparedData): void {
  if (METHODS[method].loss !== 'patches') return;
  const patients = boxedParts(data).size;
  if (patients >= FOLDS) return;
  const found = patients === 0 ? 'no test image with a box' : `boxed test images of ${patients} patients alone`;
  throw new CxrError(
    'BAD_INPUT',
    `${data.path} has ${found}; ${method} trains on the boxes of four fifths of the boxed patients and needs at least ${FOLDS}. Prepare the data with its box list.`,
  );
}
