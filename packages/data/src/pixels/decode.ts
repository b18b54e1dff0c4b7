import { CxrError } from '../error.ts';
import type { DecodedImage } from './image.ts';

/** Names the one way from bytes to pixels; a run and a prepared file that state another version do not belong together. */
export const PREPROCESSING_VERSION = 'v1';

/** Decodes a PNG, JPEG or DICOM file to grey pixels at its own size; the format is taken from the content, never from the name. */
export async function decodeImage(_bytes: Uint8Array, where: string): Promise<DecodedImage> {
  throw new CxrError('INTERNAL', `decodeImage is not there yet (${where})`);
}

/** The same, squashed to size x size. */
export async function decodeSquashed(_bytes: Uint8Array, _size: number, where: string): Promise<DecodedImage> {
  throw new CxrError('INTERNAL', `decodeSquashed is not there yet (${where})`);
}
