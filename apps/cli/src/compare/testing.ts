import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encodeNpy, FINDINGS, NIH_SIZE, openPrepared, type PreparedData, prepare, random, writePhantom } from '@cxr-lens/data';
import {
  auc,
  centreIous,
  type LocalizationPair,
  localization,
  localizationControls,
  PAPER_PROTOCOL,
  PATCHES_PROTOCOL,
  pairIous,
  patchIous,
  patchLocalization,
  patientParts,
  type ScoreTable,
} from '@cxr-lens/eval';
import { boxedPatients, writeIous } from '@cxr-lens/model/ious';
import { defaultOptions, type TrainOptions } from '@cxr-lens/model/spec';

// For tests: run folders with evaluations that no network made.

/** Of Baseline and of Robust. */
export const WEIGHTS = { b: 'b'.repeat(64), r: 'c'.repeat(64) };

/** Of the maps. */
const SIDE = 7;

/** Phantoms prepared as `tiny.cxr` in the folder. */
export async function madeData(folder: string, images: number): Promise<PreparedData> {
  await writePhantom({ folder: path.join(folder, 'phantom'), images, seed: 3, size: 64 });
  const file = path.join(folder, 'tiny.cxr');
  await prepare({ folder: path.join(folder, 'phantom'), out: file, size: 32 });
  return openPrepared(file);
}

export interface Stored {
  method?: 'baseline' | 'robust' | 'supervised';
  /** Of Supervised, which is scored on the fifth that it left out. */
  fold?: number;
  /** How much its scores and maps know. */
  skill: number;
  weights?: string;
  /** Of the folder of the evaluation, and what it says of itself. */
  evaluation?: string;
  datasetHash?: string;
  seed?: number;
  /** As 0.1.0 wrote it: its maps, but no IoUs. */
  old?: true;
  /** Of its run now. */
  weightsNow?: string;
}

/** Scores that know `skill` of the labels. */
export function madeScores(data: PreparedData, skill: number): ScoreTable {
  const images = data.rows('test').map((row) => data.images[row]!.name);
  const column = (index: number): number[] => {
    const { next } = random(`scores/${skill}/${index}`);
    return data.rows('test').map((row) => Math.fround(next() + skill * data.labels[row * FINDINGS.length + index]!));
  };
  return { images, scores: Object.fromEntries(FINDINGS.map((finding, index) => [finding, column(index)])) };
}

/** The pairs that a run was scored on, all or those of a fold, with maps of 7 x 7 noise that is higher by `skill` in the box. */
export function madePairs(data: PreparedData, skill: number, fold?: number): LocalizationPair[] {
  const parts = patientParts(boxedPatients(data), 0);
  return data.rows('test').flatMap((row) => {
    const { name: image, patientId, boxes } = data.images[row]!;
    if (fold !== undefined && parts.get(patientId) !== fold) return [];
    return boxes.map(({ finding, box }) => {
      const { next } = random(`map/${image}/${finding}`);
      const map = Float32Array.from({ length: SIDE * SIDE }, (_, cell) => {
        const [x, y] = [cell % SIDE, Math.floor(cell / SIDE)].map((at) => ((at + 0.5) * NIH_SIZE) / SIDE);
        const inside = x! >= box.x && x! < box.x + box.width && y! >= box.y && y! < box.y + box.height;
        // multiples of 2^-10 below 1: float16 keeps them
        return Math.round(((next() + (inside ? skill : 0)) / (1 + skill)) * 1024) / 1024;
      });
      return { image, patientId, finding, box, map, height: SIDE, width: SIDE };
    });
  });
}

/** A run folder with one evaluation, as training and `evaluate` write them. */
export function store(data: PreparedData, root: string, stored: Stored): string {
  const name = path.basename(root);
  const { method = 'baseline', skill, weights = WEIGHTS.b, evaluation = 'tiny', seed = 0, fold } = stored;
  const options: TrainOptions = { ...defaultOptions(method), ...(fold === undefined ? {} : { fold }) };
  const { size, datasetHash, splitHash, preprocessingVersion, bits, synthetic } = data;
  const images = { train: data.rows('train').length, validation: data.rows('validation').length, test: data.rows('test').length };
  const ref = {
    name: 'tiny',
    size,
    datasetHash: stored.datasetHash ?? datasetHash,
    splitHash,
    preprocessingVersion,
    bits,
    synthetic,
    seed: 0,
    images,
  };
  const now = '2026-01-01T00:00:00.000Z';
  const into = path.join(root, 'evaluation', evaluation);
  mkdirSync(into, { recursive: true });
  const write = (at: string, value: unknown): void => writeFileSync(at, JSON.stringify(value));
  write(path.join(root, 'run.json'), {
    ...{ format: 1, id: name, name, method, preset: 'small', network: 'truncated-densenet121', inputSize: size, featureShape: [7, 7, 8] },
    ...{ data: ref, parent: null, initialisation: 'he-normal', seed: 0, options, codeVersion: '0', engine: 'none' },
    ...{ state: 'finished', error: null, epochs: [], bestEpoch: null, stepsPerEpoch: 1, weightsSha256: stored.weightsNow ?? weights },
    ...{ createdAt: now, updatedAt: now, finishedAt: now },
  });
  const head = { format: 1, runId: name, weightsSha256: weights, data: ref, seed, resamples: 700, codeVersion: '0', createdAt: now };
  const { images: names, scores } = madeScores(data, skill);
  const rowOf = (finding: (typeof FINDINGS)[number], index: number) => {
    const truth = data.rows('test').map((row) => data.labels[row * FINDINGS.length + index]!);
    return [finding, { ...auc(scores[finding]!, truth), bootstrap: null }];
  };
  const findings = Object.fromEntries(FINDINGS.map(rowOf));
  write(path.join(into, 'auc.json'), { ...head, images: names.length, findings, mean: { auc: 0.5, bootstrap: null, findings: 14 } });
  const pairs = madePairs(data, skill, fold);
  const own = method === 'supervised' ? patchLocalization(pairs, { seed, resamples: 0 }) : localization(pairs, { seed, resamples: 0 });
  const controls = localizationControls(pairs, { seed, resamples: 0 });
  write(path.join(into, 'localization.json'), { ...head, run: own, controls });
  const patients = boxedPatients(data);
  const ious =
    method === 'supervised'
      ? ({ protocol: { ...PATCHES_PROTOCOL, name: 'patches' }, run: patchIous(pairs), centre: patchIous(pairs) } as const)
      : ({ protocol: { ...PAPER_PROTOCOL, name: 'paper' }, run: pairs.map((pair) => pairIous(pair)), centre: centreIous(pairs) } as const);
  if (!stored.old) writeIous(into, { ...head, patients }, ious);
  mkdirSync(path.join(into, 'maps'), { recursive: true });
  for (const { image, finding, map } of pairs) {
    writeFileSync(path.join(into, 'maps', `${path.parse(image).name}.${finding}.npy`), encodeNpy(map, [SIDE, SIDE], 'float16'));
  }
  const lines = names.map((image, i) => [image, ...FINDINGS.map((finding) => Number(scores[finding]![i]!.toPrecision(9)))].join(','));
  writeFileSync(path.join(into, 'scores.csv'), `${['Image Index', ...FINDINGS].join(',')}\n${lines.join('\n')}\n`);
  return root;
}
