import { CxrError } from '../error.ts';
import { decodeDicom } from './dicom.ts';
import { refuseGreedy } from './greedy.ts';
import type { DecodedImage } from './image.ts';
import { decodeRaster, squash } from './raster.ts';
import { sniffFormat } from './sniff.ts';

/** Names the one way from bytes to pixels; a run and a prepared file that state another version do not belong together. */
export const PREPROCESSING_VERSION = 'v1';

/**
 * Decodes a PNG, JPEG or uncompressed DICOM file to 8-bit grey at its own size; the format is taken from the content, never from the
 * name. `where` names the file in errors: BAD_INPUT (no image), CORRUPT (cut off), UNSUPPORTED (compressed DICOM), TOO_LARGE.
 */
export async function decodeImage(bytes: Uint8Array, where: string): Promise<DecodedImage> {
  return decode(bytes, where);
}

/** The same, squashed to size x size: what training, evaluation and an upload all see. */
export async function decodeSquashed(bytes: Uint8Array, size: number, where: string): Promise<DecodedImage> {
  const image = await decode(bytes, where, size);
  return { ...image, ...(await squash(image, size)) };
}

async function decode(bytes: Uint8Array, where: string, size?: number): Promise<DecodedImage> {
  const format = sniffFormat(bytes, where);
  refuseGreedy(bytes, format, where);
  try {
    return format === 'dicom' ? decodeDicom(bytes, where) : { ...(await decodeRaster(bytes, where, size)), format };
  } catch (cause) {
    if (cause instanceof CxrError) throw cause;
    // The DICOM parser throws plain strings, also when an element is read long after the header was.
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/^dicomParser\.\w+: /, '');
    throw new CxrError('CORRUPT', `${where} is cut off or damaged (${reason}). Export it again.`, { cause });
  }
}
