import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError, decodeNpy, encodeNpy, type PreparedData } from '@cxr-lens/data';
import type { IouTable, LocalizationPair, PairIous } from '@cxr-lens/eval';
import { mapName } from './kept-maps.ts';
import { iousOf, type MainIous } from './protocols.ts';
import { readBytes, readJson, sha256, writeAtomic } from './run-folder.ts';
import { IOU_COLUMNS, type IousFile, IousFileSchema, type LocalizationFile, type Run } from './spec/index.ts';

const INDEX = 'ious.json';

/** The patients of all boxed test images: folds are drawn over them, whatever a run was scored on. */
export function boxedPatients(data: PreparedData): string[] {
  const boxed = data.rows('test').filter((row) => data.images[row]!.boxes.length > 0);
  return [...new Set(boxed.map((row) => data.images[row]!.patientId))];
}

type Head = Pick<IousFile, 'runId' | 'weightsSha256' | 'data' | 'patients'>;

/** Writes ious.npy, ious-centre.npy and, last, ious.json, which holds their hashes. */
export function writeIous(folder: string, { runId, weightsSha256, data, patients }: Head, { protocol, run, centre }: MainIous): void {
  const bytes = { 'ious.npy': encodeRows(run, protocol.name), 'ious-centre.npy': encodeRows(centre, protocol.name) };
  for (const [name, content] of Object.entries(bytes)) writeAtomic(path.join(folder, name), content);
  const file: IousFile = {
    ...{ format: 1, runId, weightsSha256, data, protocol, patients },
    sha256: { 'ious.npy': sha256(bytes['ious.npy']), 'ious-centre.npy': sha256(bytes['ious-centre.npy']) },
    pairs: run.map(({ image, patientId, finding }) => ({ image, patientId, finding })),
  };
  writeAtomic(path.join(folder, INDEX), `${JSON.stringify(file)}\n`);
}

function encodeRows(rows: readonly PairIous[], protocol: IousFile['protocol']['name']): Uint8Array {
  const columns = IOU_COLUMNS[protocol];
  const values = new Float64Array(rows.length * columns);
  for (const [index, { ious }] of rows.entries()) values.set(ious, index * columns);
  return encodeNpy(values, [rows.length, columns]);
}

/** Reads the IoUs of an evaluation folder; null if it holds none (0.1.0). CxrError CORRUPT, UNAVAILABLE. */
export function readIous(folder: string): { file: IousFile; run: IouTable; centre: IouTable } | null {
  const index = path.join(folder, INDEX);
  if (!existsSync(index)) return null;
  const file = readJson(index, IousFileSchema, `${index} is missing.`);
  const table = (name: keyof IousFile['sha256']): IouTable => {
    const { protocol, patients, pairs } = file;
    const where = path.join(folder, name);
    const bytes = readBytes(where, () => new CxrError('CORRUPT', `${where} is missing; evaluate the run again.`));
    const columns = IOU_COLUMNS[protocol.name];
    if (sha256(bytes) !== file.sha256[name]) {
      throw new CxrError('CORRUPT', `${where} is not the file that ${INDEX} describes: its hash differs; evaluate the run again.`);
    }
    const { data } = decodeNpy(bytes, where);
    if (!(data instanceof Float64Array)) throw new CxrError('CORRUPT', `${where} does not hold float64 numbers; evaluate the run again.`);
    return { protocol, patients, pairs: pairs.map((pair, row) => ({ ...pair, ious: data.subarray(row * columns, (row + 1) * columns) })) };
  };
  return { file, run: table('ious.npy'), centre: table('ious-centre.npy') };
}

/**
 * The IoUs of an evaluation that kept none, from its maps and the boxes of the prepared file. Null if a map or a box is missing, or if the
 * maps do not give the IoUs that its localization.json holds: another evaluation, interrupted, may have written over them.
 */
export function iousFromMaps(
  folder: string,
  { run: { method }, localization, data }: { run: Pick<Run, 'method'>; localization: LocalizationFile; data: PreparedData },
): IouTable | null {
  const images = new Map(data.images.map((image) => [image.name, image]));
  const pairs: LocalizationPair[] = [];
  for (const { image, patientId, finding } of scoredPairs(localization)) {
    const box = images.get(image)?.boxes.find((known) => known.finding === finding)?.box;
    const file = path.join(folder, 'maps', mapName({ image, finding }));
    if (!box || !existsSync(file)) return null;
    const { data: map, shape } = decodeNpy(readFileSync(file), file);
    const [height, width] = shape as [number, number];
    pairs.push({ image, patientId, finding, box, map: map as Float32Array, height, width });
  }
  const { protocol, run } = iousOf(method, pairs);
  const table = { protocol, patients: boxedPatients(data), pairs: run };
  return agrees(table, localization) ? table : null;
}

function scoredPairs({ run }: LocalizationFile): Pick<PairIous, 'image' | 'patientId' | 'finding'>[] {
  return Object.entries(run.findings).flatMap(([finding, { scored }]) =>
    scored.map(({ image, patientId }) => ({ image, patientId, finding: finding as PairIous['finding'] })),
  );
}

function agrees({ pairs }: IouTable, { run }: LocalizationFile): boolean {
  const known = new Map(pairs.map(({ image, finding, ious }) => [`${image}\n${finding}`, ious]));
  return Object.entries(run.findings).every(([finding, { scored, foldThresholds }]) =>
    scored.every(({ image, ious }) =>
      ious.every((iou, fold) => iou === null || Math.abs(known.get(`${image}\n${finding}`)![foldThresholds[fold] ?? 0]! - iou) < 1e-9),
    ),
  );
}
