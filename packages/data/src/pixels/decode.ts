import { CxrError } from '../error.ts';
import { type BitsOptions, MAX_BITS } from './bits.ts';
import { decodeDicom } from './dicom.ts';
import { refuseGreedy } from './greedy.ts';
import type { DecodedImage } from './image.ts';
import { decodeRaster, squash } from './raster.ts';
import { sniffFormat } from './sniff.ts';

/**
 * The ways from bytes to pixels. v2 stretches the bits in use of a 16-bit file; on every other image, and where all 16 are in use, both
 * give the same pixels, so that this program reads what either made. What holds no stretched image is of v1.
 */
const PREPROCESSING_VERSIONS = ['v1', 'v2'] as const;

export type PreprocessingVersion = (typeof PREPROCESSING_VERSIONS)[number];

/** Whether this program decodes as the version says. */
export function isPreprocessingVersion(text: string): text is PreprocessingVersion {
  return (PREPROCESSING_VERSIONS as readonly string[]).includes(text);
}

/** The version that reads so many bits of 16; null: no 16-bit file. */
export function preprocessingOf(bits: number | null): PreprocessingVersion {
  return bits !== null && bits < MAX_BITS ? 'v2' : 'v1';
}

/**
 * Decodes a PNG, JPEG or uncompressed DICOM file to 8-bit grey at its own size; the format is taken from the content, never from the
 * name. `where` names the file in errors: BAD_INPUT (no image), CORRUPT (cut off), UNSUPPORTED (compressed DICOM), TOO_LARGE.
 */
export async function decodeImage(bytes: Uint8Array, where: string, options: BitsOptions = {}): Promise<DecodedImage> {
  return decode(bytes, where, options);
}

/** The same, squashed to size x size: what training, evaluation and an upload all see. */
export async function decodeSquashed(bytes: Uint8Array, size: number, where: string, options: BitsOptions = {}): Promise<DecodedImage> {
  const image = await decode(bytes, where, { ...options, size });
  return { ...image, ...(await squash(image, size)) };
}

async function decode(bytes: Uint8Array, where: string, options: BitsOptions & { size?: number }): Promise<DecodedImage> {
  const format = sniffFormat(bytes, where);
  refuseGreedy(bytes, format, where);
  try {
    return format === 'dicom' ? decodeDicom(bytes, where) : { ...(await decodeRaster(bytes, where, options)), format };
  } catch (cause) {
    if (cause instanceof CxrError) throw cause;
    // The DICOM parser throws plain strings, also when an element is read long after the header was.
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/^dicomParser\.\w+: /, '');
    throw new CxrError('CORRUPT', `${where} is cut off or damaged (${reason}). Export it again.`, { cause });
  }
}
