import { CxrError } from '../error.ts';
import { type DicomHeader, readDicomHeader } from './dicom-header.ts';
import { displayTable, type Stored } from './display-table.ts';
import type { DecodedImage } from './image.ts';
import { luminance } from './raster.ts';

/**
 * Uncompressed DICOM to grey as it is meant to be looked at: modality LUT, then VOI window or LUT, then MONOCHROME1 inverted.
 * UNSUPPORTED for compressed syntaxes and odd layouts, TOO_LARGE for absurd dimensions, CORRUPT when pixels are missing.
 */
export function decodeDicom(bytes: Uint8Array, where: string): DecodedImage {
  const header = readDicomHeader(bytes, where);
  const { attributes } = header;
  const image = { width: attributes.columns, height: attributes.rows, format: 'dicom' as const, dicom: attributes };
  const photometric = attributes.photometricInterpretation;
  if (photometric === 'RGB' && header.samplesPerPixel === 3) return { ...image, pixels: colourPixels(header, where) };
  if ((photometric === 'MONOCHROME1' || photometric === 'MONOCHROME2') && header.samplesPerPixel === 1) {
    return { ...image, pixels: greyPixels(header, where) };
  }
  throw new CxrError(
    'UNSUPPORTED',
    `${where} has the photometric interpretation ${photometric} with ${header.samplesPerPixel} samples a pixel; ` +
      'expected MONOCHROME1, MONOCHROME2 or RGB. Export it as a grey image.',
  );
}

function greyPixels(header: DicomHeader, where: string): Uint8Array {
  const { dataSet, attributes } = header;
  const { bitsAllocated, bitsStored } = attributes;
  const highBit = dataSet.uint16('x00280102') ?? bitsStored - 1;
  const shift = highBit + 1 - bitsStored;
  if ((bitsAllocated !== 8 && bitsAllocated !== 16) || bitsStored < 1 || shift < 0 || highBit >= bitsAllocated) {
    throw new CxrError(
      'UNSUPPORTED',
      `${where} stores ${bitsStored} of ${bitsAllocated} bits, high bit ${highBit}; expected 8 or 16 allocated bits that hold the stored ones.`,
    );
  }
  const mask = 2 ** bitsStored - 1;
  const words = pixelWords(header, where, 1);
  for (let index = 0; index < words.length; index += 1) words[index] = (words[index]! >> shift) & mask;
  const stored: Stored = { words, bits: bitsStored, signed: dataSet.uint16('x00280103') === 1 };
  const table = displayTable(dataSet, stored, where);
  if (attributes.photometricInterpretation === 'MONOCHROME1') for (let i = 0; i < table.length; i += 1) table[i] = 255 - table[i]!;
  const pixels = new Uint8Array(words.length);
  for (let index = 0; index < words.length; index += 1) pixels[index] = table[words[index]!]!;
  return pixels;
}

function colourPixels(header: DicomHeader, where: string): Uint8Array {
  if (header.attributes.bitsAllocated !== 8) {
    throw new CxrError(
      'UNSUPPORTED',
      `${where} is RGB with ${header.attributes.bitsAllocated} bits a sample; expected 8. Export it as a grey image.`,
    );
  }
  const words = pixelWords(header, where, 3);
  const count = words.length / 3;
  const planes = header.dataSet.uint16('x00280006') === 1;
  const [step, next] = planes ? [1, count] : [3, 1];
  const pixels = new Uint8Array(count);
  for (let i = 0, at = 0; i < count; i += 1, at += step) pixels[i] = luminance(words[at]!, words[at + next]!, words[at + 2 * next]!);
  return pixels;
}

/** The stored words as they lie in the file, in the byte order of its transfer syntax; a copy. CORRUPT when the file is too short. */
function pixelWords({ attributes, dataSet, pixelData }: DicomHeader, where: string, samples: number): Uint16Array {
  const { rows, columns, bitsAllocated, transferSyntaxUid } = attributes;
  const count = rows * columns * samples;
  const needed = (count * bitsAllocated) / 8;
  const bytes = dataSet.byteArray as Uint8Array;
  const present = Math.min(pixelData.length, bytes.length - pixelData.dataOffset);
  if (present < needed) {
    throw new CxrError(
      'CORRUPT',
      `${where} is cut off: ${columns} x ${rows} pixels need ${needed} bytes, and ${present} are there. Copy it again.`,
    );
  }
  const at = pixelData.dataOffset;
  if (bitsAllocated === 8) return new Uint16Array(bytes.subarray(at, at + count));
  const [low, high] = transferSyntaxUid === '1.2.840.10008.1.2.2' ? [1, 0] : [0, 1];
  const words = new Uint16Array(count);
  for (let i = 0, byte = at; i < count; i += 1, byte += 2) words[i] = bytes[byte + low]! | (bytes[byte + high]! << 8);
  return words;
}
