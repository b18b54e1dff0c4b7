import { crc32 } from 'node:zlib';
import sharp from 'sharp';

const AFTER_HEADER = 33;

/** As PNG's format has it: length, type, data, CRC32 of type and data. */
export function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  crc.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, crc]);
}

/** The PNG with one more chunk behind its header. */
export function withChunk(png: Buffer, extra: Buffer): Buffer {
  return Buffer.concat([png.subarray(0, AFTER_HEADER), extra, png.subarray(AFTER_HEADER)]);
}

interface SixteenBit {
  width: number;
  height: number;
  /** 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha. */
  channels?: 1 | 2 | 3 | 4;
  /** An sBIT chunk for each channel. */
  sbit?: number[];
}

/** A 16-bit PNG of these samples, [height, width, channels]. */
export async function sixteenBitPng(samples: Uint16Array, { width, height, channels = 1, sbit }: SixteenBit): Promise<Buffer> {
  const png = await sharp(samples, { raw: { width, height, channels } })
    .toColourspace(channels < 3 ? 'grey16' : 'rgb16')
    .png()
    .toBuffer();
  return sbit ? withChunk(png, chunk('sBIT', Uint8Array.from(sbit))) : png;
}

/** A grey JPEG of these samples, [height, width]. */
export function greyJpeg(
  pixels: Uint8Array,
  { width, height, progressive = false }: Pick<SixteenBit, 'width' | 'height'> & { progressive?: boolean },
): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .jpeg({ progressive })
    .toBuffer();
}
