import { readFileSync } from 'node:fs';
import path from 'node:path';
import { encodeGreyPng, encodeNpy, FINDINGS, prepare, random, writePhantom } from '@cxr-lens/data';
import { greyJpeg, sixteenBitPng } from '@cxr-lens/data/testing';
import { type Card, defaultOptions, type Run } from '@cxr-lens/model/spec';
import { encodeSafetensors } from '../../packages/model/src/safetensors.ts';

/** A valid input: its bytes, and the file name or content type under which they are read. */
export interface Sample {
  bytes: Buffer;
  as: string;
}

const SIDE = 48;

function noise(seed: string, count = SIDE * SIDE): Uint8Array {
  const { int } = random(seed);
  return Uint8Array.from({ length: count }, () => int(256));
}

export async function images(): Promise<Sample[]> {
  const grey = { width: SIDE, height: SIDE, pixels: noise('png') };
  const deep = Uint16Array.from(noise('deep'), (value) => value * 16);
  return [
    { as: 'grey.png', bytes: Buffer.from(await encodeGreyPng(grey)) },
    { as: 'deep.png', bytes: await sixteenBitPng(deep, { width: SIDE, height: SIDE, sbit: [12] }) },
    { as: 'colour.png', bytes: await sixteenBitPng(deep.slice(0, 16 * 16 * 4), { width: 16, height: 16, channels: 4 }) },
    { as: 'baseline.jpg', bytes: await greyJpeg(grey.pixels, grey) },
    { as: 'progressive.jpg', bytes: await greyJpeg(grey.pixels, { ...grey, progressive: true }) },
  ];
}

/** Elements of explicit value representation in little endian, PS3.5 7.1. */
function element(group: number, number: number, vr: string, value: Uint8Array | string | number): Buffer {
  const raw = typeof value === 'number' ? Buffer.from(Uint16Array.of(value).buffer) : Buffer.from(value as string);
  const padded = raw.length % 2 === 0 ? raw : Buffer.concat([raw, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
  const isLong = vr === 'OB' || vr === 'OW' || vr === 'SQ';
  const head = Buffer.alloc(isLong ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  if (isLong) head.writeUInt32LE(padded.length, 8);
  else head.writeUInt16LE(padded.length, 6);
  return Buffer.concat([head, padded]);
}

export function dicoms(): Sample[] {
  const file = (bits: 8 | 16): Buffer => {
    const meta = [
      element(2, 2, 'UI', '1.2.840.10008.5.1.4.1.1.1'),
      element(2, 3, 'UI', '1.2.3.4'),
      element(2, 16, 'UI', '1.2.840.10008.1.2.1'),
    ];
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.concat(meta).length);
    return Buffer.concat([
      Buffer.alloc(128),
      Buffer.from('DICM'),
      element(2, 0, 'UL', length),
      ...meta,
      element(8, 0x16, 'UI', '1.2.840.10008.5.1.4.1.1.1'),
      element(8, 0x18, 'UI', '1.2.3.4'),
      element(8, 0x50, 'SH', 'A-1'),
      element(8, 0x60, 'CS', 'DX'),
      element(0x18, 0x5101, 'CS', 'PA'),
      element(0x20, 0x0d, 'UI', '1.2.3'),
      element(0x28, 2, 'US', 1),
      element(0x28, 4, 'CS', 'MONOCHROME2'),
      element(0x28, 0x10, 'US', SIDE),
      element(0x28, 0x11, 'US', SIDE),
      element(0x28, 0x100, 'US', bits),
      element(0x28, 0x101, 'US', bits === 8 ? 8 : 12),
      element(0x28, 0x102, 'US', bits === 8 ? 7 : 11),
      element(0x28, 0x103, 'US', 0),
      element(0x28, 0x1050, 'DS', '100'),
      element(0x28, 0x1051, 'DS', '200'),
      element(0x7fe0, 0x10, 'OW', noise('dicom', (SIDE * SIDE * bits) / 8)),
    ]);
  };
  return [
    { as: 'eight.dcm', bytes: file(8) },
    { as: 'sixteen.dcm', bytes: file(16) },
  ];
}

export function arrays(): Sample[] {
  const floats = Float64Array.from(noise('npy', 64), (value) => value / 7);
  return (['float64', 'float32', 'float16'] as const).map((type) => ({
    as: `${type}.npy`,
    bytes: Buffer.from(encodeNpy(floats, [4, 16], type)),
  }));
}

export function tensors(): Sample[] {
  const tensor = (shape: number[]) => ({
    shape,
    data: Float32Array.from(
      noise(
        'tensor',
        shape.reduce((a, b) => a * b),
      ),
    ),
  });
  const named = new Map([
    ['features.conv.weight', tensor([4, 3, 3])],
    ['classifier.bias', tensor([14])],
    ['norm.running_var', tensor([4])],
  ]);
  return [{ as: 'weights.safetensors', bytes: Buffer.from(encodeSafetensors(named, { format: 'pt' })) }];
}

/** The names of what `writeTables` leaves in its folder. */
const TABLES = ['Data_Entry_2017_v2020.csv', 'BBox_List_2017.csv', 'train_val_list.txt', 'test_list.txt'] as const;

/** A small folder in NIH format, and the prepared file made from it. */
export async function tables(folder: string): Promise<Sample[]> {
  await writePhantom({ folder, images: 24, seed: 1, size: 32 });
  return TABLES.map((as) => ({ as, bytes: readFileSync(path.join(folder, as)) }));
}

export async function prepared(folder: string): Promise<Sample[]> {
  const source = path.join(folder, 'phantoms');
  await writePhantom({ folder: source, images: 24, seed: 1, size: 32 });
  const out = path.join(folder, 'data.cxr');
  await prepare({ folder: source, out, size: 32 });
  return [{ as: 'data.cxr', bytes: readFileSync(out) }];
}

const HASH = '1'.repeat(64);

export function run(): Run {
  return {
    ...{ format: 1, id: 'run', name: 'run', method: 'baseline', preset: 'small', network: 'truncated-densenet121', inputSize: 96 },
    ...{
      featureShape: [12, 12, 132],
      parent: null,
      imported: null,
      initialisation: 'he-normal',
      normalisation: null,
      trainedTestImages: [],
    },
    data: {
      ...{
        name: 'phantom',
        size: 96,
        datasetHash: HASH,
        splitHash: HASH,
        preprocessingVersion: 'v1',
        bits: null,
        synthetic: true,
        seed: 0,
      },
      images: { train: 64, validation: 8, test: 20 },
    },
    ...{ seed: 3, options: { ...defaultOptions('baseline'), seed: 3 }, codeVersion: '0.1.0', engine: 'TensorFlow 2.21.0, CPU' },
    ...{ state: 'finished', error: null, bestEpoch: 1, stepsPerEpoch: 2, weightsSha256: HASH, cardSha256: null, nextCardSha256: null },
    epochs: [{ epoch: 1, trainLoss: 1, validationLoss: 2, perturbedValidationLoss: null, probe: null, validationAuc: 0.5, seconds: 1.5 }],
    ...{ createdAt: '2026-01-01T10:00:00.000Z', updatedAt: '2026-01-01T11:00:00.000Z', finishedAt: '2026-01-01T11:00:00.000Z' },
  } satisfies Run;
}

export function card(): Card {
  const calibration = {
    platt: { a: 1, b: 0 },
    operatingPoint: { probability: 0.4, logit: -0.4 },
    reason: null,
    positives: 12,
    negatives: 50,
  };
  return {
    ...{ format: 1, findings: [...FINDINGS], inputSize: 96, featureShape: [12, 12, 132], pixelRange: [0, 1] },
    ...{
      normalisation: { mean: 0.5, std: 0.25, source: 'training images' },
      imported: null,
      preprocessingVersion: 'v1',
      bits: null,
      pooling: 'average',
    },
    weightsSha256: HASH,
    golden: { seed: 'golden', logits: FINDINGS.map((_, i) => i / 7), tolerance: 1e-3 },
    calibration: Object.fromEntries(FINDINGS.map((finding) => [finding, calibration])) as Card['calibration'],
    camThresholds: null,
  };
}
