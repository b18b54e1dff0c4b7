import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type BoxedFinding, CxrError, decodeNpy, encodeNpy, FINDINGS, type PreparedData, syncFolderSync } from '@cxr-lens/data';
import { readJson, runFiles, writeAtomic } from './run-folder.ts';
import { type AucFile, AucFileSchema, type LocalizationFile, LocalizationFileSchema } from './spec/index.ts';

/** The files of one evaluation; `runs/<id>/evaluation/<name of the prepared file>/`. */
export interface EvaluationFiles {
  folder: string;
  scores: string;
  maps: string;
  auc: string;
  localization: string;
  /** Logits of images already predicted, while the evaluation is under way. */
  parts: string;
}

/**
 * Where the evaluation of a run on a prepared file belongs: beside an evaluation on other data in a file of the same name,
 * `<name>-<first 8 digits of the data set's hash>`.
 */
export function evaluationFiles(run: string, { path: data, datasetHash }: Pick<PreparedData, 'path' | 'datasetHash'>): EvaluationFiles {
  const files = filesOf(path.join(runFiles(run).evaluation, path.parse(data).name));
  const taken = evaluatedData(files);
  return taken === null || taken === datasetHash ? files : filesOf(`${files.folder}-${datasetHash.slice(0, 8)}`);
}

/** Hash of the data that the folder's evaluation is of; null where there is none that can be read. */
function evaluatedData({ auc }: EvaluationFiles): string | null {
  try {
    return readJson(auc, AucFileSchema, `${auc} is missing.`).data.datasetHash;
  } catch (error) {
    if (error instanceof CxrError && ['NOT_FOUND', 'CORRUPT'].includes(error.code)) return null;
    throw error;
  }
}

function filesOf(folder: string): EvaluationFiles {
  return {
    folder,
    scores: path.join(folder, 'scores.csv'),
    maps: path.join(folder, 'maps'),
    auc: path.join(folder, 'auc.json'),
    localization: path.join(folder, 'localization.json'),
    parts: path.join(folder, 'parts'),
  };
}

/** The evaluation that a folder holds. CxrError NOT_FOUND, CORRUPT. */
export function readEvaluation(files: EvaluationFiles): { auc: AucFile; localization: LocalizationFile } {
  const missing = `${files.folder} holds no finished evaluation.`;
  return {
    auc: readJson(files.auc, AucFileSchema, missing),
    localization: readJson(files.localization, LocalizationFileSchema, missing),
  };
}

/** Logits with the digits that give the same float32 back: `Image Index` and one column a finding, as `metrics auc` reads them. */
export function writeScores(files: EvaluationFiles, data: PreparedData, rows: readonly number[], logits: Float32Array): void {
  const lines = rows.map((row, slot) => {
    const scores = logits.subarray(slot * FINDINGS.length, (slot + 1) * FINDINGS.length);
    return [data.images[row]!.name, ...Array.from(scores, (score) => Number(score.toPrecision(9)))].join(',');
  });
  writeAtomic(files.scores, `${['Image Index', ...FINDINGS].join(',')}\n${lines.join('\n')}\n`);
}

/** Keeps one raw map (CAM, patch scores, or Generative's difference) as float16 and returns what a reader of the file will see: the curves come from the files. */
export function writeMap(
  files: EvaluationFiles,
  { image, finding, map, height, width }: { image: string; finding: BoxedFinding; map: Float32Array; height: number; width: number },
): Float32Array {
  const bytes = encodeNpy(map, [height, width], 'float16');
  mkdirSync(files.maps, { recursive: true });
  // Thousands of maps share one flush of their folder: `finishMaps`.
  writeAtomic(path.join(files.maps, mapName({ image, finding })), bytes, { syncFolder: false });
  return decodeNpy(bytes, image).data as Float32Array;
}

const mapName = ({ image, finding }: { image: string; finding: BoxedFinding }): string => `${path.parse(image).name}.${finding}.npy`;

/** Makes the names of all maps durable; to be called before the file that says they are there. */
export function finishMaps({ maps }: EvaluationFiles): void {
  if (existsSync(maps)) syncFolderSync(maps);
}

/** Removes the maps that another evaluation, interrupted or on other data, left in the folder. */
export function keepMaps(files: EvaluationFiles, pairs: readonly { image: string; finding: BoxedFinding }[]): void {
  if (!existsSync(files.maps)) return;
  const kept = new Set(pairs.map(mapName));
  for (const name of readdirSync(files.maps)) if (!kept.has(name)) rmSync(path.join(files.maps, name), { recursive: true, force: true });
}

/** Logits of a block of images that an interrupted evaluation left behind, or what `compute` gives, kept for the next attempt. */
export async function keptPart(files: EvaluationFiles, name: string, compute: () => Promise<Float32Array>): Promise<Float32Array> {
  const file = path.join(files.parts, `${name}.npy`);
  if (existsSync(file)) return decodeNpy(readFileSync(file), file).data as Float32Array;
  const logits = await compute();
  writeAtomic(file, encodeNpy(logits, [logits.length / FINDINGS.length, FINDINGS.length]));
  return logits;
}

export function removeParts(files: EvaluationFiles): void {
  rmSync(files.parts, { recursive: true, force: true });
}
