import { createHash } from 'node:crypto';
import {
  type Box,
  CxrError,
  type DicomAttributes,
  decodeImage,
  decodeNpy,
  decodeSquashed,
  encodeGreyPng,
  encodeRgbPng,
  type ImageFormat,
  inferno,
  outlineBox,
  overlayCam,
  renderSaliency,
} from '@cxr-lens/data';
import { GRID_SIZE, saliencyImage, scaleTo255, upsampleBilinear } from '@cxr-lens/eval';
import type { PublicError } from '../errors.ts';
import { bytesOf, type Source } from '../uploads/body.ts';
import { contentUid, type SopReference, sopReference } from '../uploads/identity.ts';

/** Decodes an upload, and squashes it as each data set asked for did with its images. `where` names it in errors. */
export interface InspectTask {
  kind: 'inspect';
  source: Source;
  where: string;
  squash: Squash[];
}

/** A data set's size, and the bits in use of its 16-bit files. */
export interface Squash {
  size: number;
  bits: number;
}

export type PictureTask =
  | { kind: 'image'; bytes: Uint8Array; where: string }
  | { kind: 'overlay'; bytes: Uint8Array; where: string; cam: Uint8Array; box: Box | null }
  | { kind: 'cam'; cam: Uint8Array; where: string }
  | { kind: 'saliency'; saliency: Uint8Array; where: string };

/** Describes an upload; `sop` is there even if the pixels cannot be read. */
export type Inspection = { sop: SopReference } & ({ image: Inspected } | { refused: PublicError });

export interface Inspected {
  /** SHA-256 of the bytes as received: their key in the object store. */
  sha256: string;
  /** For what has none of its own. */
  contentUids: { study: string; instance: string };
  format: ImageFormat;
  width: number;
  height: number;
  dicom: DicomAttributes | null;
  /** Whether it is a 16-bit PNG, whose bits in use have to be known. */
  sixteenBit: boolean;
  squashed: Uint8Array[];
}

/** The bytes of a PNG. */
export function draw(task: PictureTask): Promise<Uint8Array> {
  switch (task.kind) {
    case 'image':
      return decodeImage(task.bytes, task.where).then(encodeGreyPng);
    case 'overlay':
      return overlay(task);
    case 'cam':
      return camPng(task.cam, task.where);
    case 'saliency':
      return saliencyPng(task.saliency, task.where);
  }
}

export async function inspect({ source, squash, where }: InspectTask): Promise<Inspection> {
  const bytes = await bytesOf(source);
  const sop = sopReference(bytes);
  try {
    const { format, width, height, dicom, sixteen } = await decodeImage(bytes, where);
    const squashed: Uint8Array[] = [];
    for (const { size, bits } of squash) squashed.push((await decodeSquashed(bytes, size, where, { bits, clip: true })).pixels);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const contentUids = { study: contentUid('study', bytes), instance: contentUid('instance', bytes) };
    return {
      sop,
      image: { sha256, contentUids, format, width, height, dicom: dicom ?? null, sixteenBit: sixteen !== undefined, squashed },
    };
  } catch (error) {
    if (!(error instanceof CxrError)) throw error;
    return { sop, refused: { code: error.code, message: error.message } };
  }
}

interface Map2d {
  /** [height, width] */
  values: Float32Array;
  height: number;
  width: number;
}

function readMap(bytes: Uint8Array, where: string): Map2d {
  const { data, shape } = decodeNpy(bytes, where);
  return { values: Float32Array.from(data), height: shape[0]!, width: shape[1]! };
}

/** The CAM over the image at the image's own size, scaled to its own minimum and maximum, with the predicted box. */
async function overlay({ bytes, where, cam, box }: PictureTask & { kind: 'overlay' }): Promise<Uint8Array> {
  const image = await decodeImage(bytes, where);
  const { values, height, width } = readMap(cam, where);
  const picture = overlayCam(image, { map: scaleTo255(upsampleBilinear(values, height, width, image.height, image.width)) });
  if (box) outlineBox(picture, box);
  return encodeRgbPng(picture);
}

/** The map as localisation is measured on it: on a grid of 224 x 224, scaled to 0 ... 255; in inferno colours. */
function camPng(cam: Uint8Array, where: string): Promise<Uint8Array> {
  const { values, height, width } = readMap(cam, where);
  const scaled = scaleTo255(upsampleBilinear(values, height, width, GRID_SIZE, GRID_SIZE));
  const pixels = new Uint8Array(GRID_SIZE * GRID_SIZE * 3);
  for (let at = 0; at < GRID_SIZE * GRID_SIZE; at += 1) pixels.set(inferno(scaled?.[at] ?? 0), at * 3);
  return encodeRgbPng({ width: GRID_SIZE, height: GRID_SIZE, pixels });
}

function saliencyPng(saliency: Uint8Array, where: string): Promise<Uint8Array> {
  const { values, height, width } = readMap(saliency, where);
  return encodeGreyPng(renderSaliency(saliencyImage(values), width, height));
}
