import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type BoxedFinding, decodeNpy, encodeNpy, FINDINGS, type PreparedData } from '@cxr-lens/data';
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

export function evaluationFiles(run: string, data: string): EvaluationFiles {
  const folder = path.join(runFiles(run).evaluation, path.parse(data).name);
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

/** Keeps one raw CAM as float16 and returns what a reader of the file will see: the curves come from the files. */
export function writeMap(
  files: EvaluationFiles,
  { image, finding, map, height, width }: { image: string; finding: BoxedFinding; map: Float32Array; height: number; width: number },
): Float32Array {
  const bytes = encodeNpy(map, [height, width], 'float16');
  mkdirSync(files.maps, { recursive: true });
  writeAtomic(path.join(files.maps, `${path.parse(image).name}.${finding}.npy`), bytes);
  return decodeNpy(bytes, image).data as Float32Array;
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
