import sharp from 'sharp';
import { CxrError } from '../error.ts';
import { type BitsInUse, type BitsOptions, bitsInUse, readSbit, whiteOf } from './bits.ts';
import type { GreyImage } from './image.ts';
import { MAX_PIXELS } from './sniff.ts';

/**
 * PNG or JPEG to grey, 8 bit: of 16 bits those in use are scaled, colour becomes luminance, alpha and colour profiles are ignored,
 * a camera's orientation tag is obeyed. With a `size` a plain grey PNG comes squashed to it, and every other image as it is.
 * CORRUPT when the file is cut off or damaged, TOO_LARGE above `MAX_PIXELS`.
 */
export async function decodeRaster(
  bytes: Uint8Array,
  where: string,
  options: BitsOptions & { size?: number | undefined } = {},
): Promise<GreyImage & { sixteen?: BitsInUse }> {
  const { size } = options;
  try {
    const image = sharp(bytes, { failOn: 'error', limitInputPixels: MAX_PIXELS, ignoreIcc: true, autoOrient: true });
    const { channels, depth, format } = await image.metadata();
    const wide = depth !== 'uchar';
    // In one pass the same pixels in less time. A JPEG would be shrunk while it is decoded, which gives others.
    if (size !== undefined && format === 'png' && channels === 1 && !wide) image.resize(size, size, SQUASH);
    const colour = channels >= 3;
    const space = colour ? (wide ? 'rgb16' : 'srgb') : wide ? 'grey16' : 'b-w';
    const { data, info } = await image
      .toColourspace(space)
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels: decoded } = info;
    if (!wide) return { width, height, pixels: toGrey({ samples: data, channels: decoded, count: width * height, white: 255 }) };
    const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    const greatest = greatestOf(samples, decoded);
    const sixteen = bitsInUse({ greatest, sbit: format === 'png' ? readSbit(bytes) : null }, options);
    const pixels = toGrey({ samples, channels: decoded, count: width * height, white: whiteOf(sixteen.bits) });
    return { width, height, pixels, sixteen };
  } catch (cause) {
    throw rasterError(cause, where);
  }
}

interface Samples {
  /** [count * channels] */
  samples: Uint8Array | Uint16Array;
  channels: number;
  count: number;
  /** The sample that is white; those above it are white too. */
  white: number;
}

/** [count] bytes. */
function toGrey({ samples, channels, count, white }: Samples): Uint8Array {
  if (samples instanceof Uint8Array && channels === 1) return samples;
  const grey = new Uint8Array(count);
  // Written so because it is what preprocessing v1 multiplies full-range samples by.
  const scale = 1 / (white / 255);
  for (let pixel = 0, at = 0; pixel < count; pixel += 1, at += channels) {
    const value = channels < 3 ? samples[at]! : luminance(samples[at]!, samples[at + 1]!, samples[at + 2]!);
    grey[pixel] = Math.min(255, Math.round(value * scale));
  }
  return grey;
}

/** Over grey or the three colours, without alpha. */
function greatestOf(samples: Uint16Array, channels: number): number {
  const colours = channels < 3 ? 1 : 3;
  let greatest = 0;
  for (let at = 0; at < samples.length; at += channels) {
    for (let channel = 0; channel < colours; channel += 1) {
      const value = samples[at + channel]!;
      if (value > greatest) greatest = value;
    }
  }
  return greatest;
}

/** ITU-R BT.601 with 16-bit weights that add up to one (as PIL's mode L), so that a grey pixel stored as RGB keeps its value exactly. */
export function luminance(red: number, green: number, blue: number): number {
  return Math.floor((red * 19595 + green * 38470 + blue * 7471 + 0x8000) / 0x10000);
}

// No crop and no padding (method.md).
const SQUASH = { fit: 'fill', kernel: 'lanczos3' } as const;

/** The image squashed to size x size by Lanczos3. */
export async function squash({ width, height, pixels }: GreyImage, size: number): Promise<GreyImage> {
  if (width === size && height === size) return { width, height, pixels };
  const squashed = await sharp(pixels, { raw: { width, height, channels: 1 }, limitInputPixels: MAX_PIXELS })
    .resize(size, size, SQUASH)
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  return { width: size, height: size, pixels: squashed };
}

function rasterError(cause: unknown, where: string): CxrError {
  const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, ' ').trim();
  if (/pixel limit|too large/i.test(reason)) {
    return new CxrError('TOO_LARGE', `${where} has more than ${MAX_PIXELS} pixels, which no radiograph has. Export it smaller.`, { cause });
  }
  return new CxrError('CORRUPT', `${where} is cut off or damaged (${reason}). Copy or download it again.`, { cause });
}
