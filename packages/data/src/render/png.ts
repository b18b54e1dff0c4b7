import sharp from 'sharp';
import type { GreyImage, RgbImage } from '../pixels/image.ts';

/** An 8-bit grey PNG. The same pixels always give the same decoded picture; the bytes may differ between versions of the encoder. */
export function encodeGreyPng(image: GreyImage): Promise<Buffer> {
  return encode(image, 1);
}

/** An 8-bit RGB PNG. */
export function encodeRgbPng(image: RgbImage): Promise<Buffer> {
  return encode(image, 3);
}

function encode({ width, height, pixels }: GreyImage, channels: 1 | 3): Promise<Buffer> {
  const image = sharp(pixels, { raw: { width, height, channels } });
  return (channels === 1 ? image.toColourspace('b-w') : image).png({ compressionLevel: 6 }).toBuffer();
}
