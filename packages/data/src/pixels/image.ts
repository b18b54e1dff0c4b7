import type { BitsInUse } from './bits.ts';

/** An 8-bit grey image, row-major: `pixels[y * width + x]`. */
export interface GreyImage {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** An 8-bit colour image, row-major, three bytes a pixel. */
export interface RgbImage {
  width: number;
  height: number;
  pixels: Uint8Array;
}

export type ImageFormat = 'png' | 'jpeg' | 'dicom';

/** What the project reads from a DICOM header: identifiers of the study and facts about the pixels, nothing about the patient. */
export interface DicomAttributes {
  studyInstanceUid?: string;
  seriesInstanceUid?: string;
  sopInstanceUid?: string;
  sopClassUid?: string;
  accessionNumber?: string;
  modality?: string;
  bodyPart?: string;
  viewPosition?: string;
  studyDate?: string;
  transferSyntaxUid: string;
  photometricInterpretation: string;
  rows: number;
  columns: number;
  bitsAllocated: number;
  bitsStored: number;
}

/** A decoded file: its grey pixels, what format its bytes were, and the DICOM header's attributes where it has one. */
export interface DecodedImage extends GreyImage {
  format: ImageFormat;
  dicom?: DicomAttributes;
  /** How the samples of a 16-bit PNG became 8 bits; absent for every other file. */
  sixteen?: BitsInUse;
}
