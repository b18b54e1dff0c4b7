import { CxrError } from '../error.ts';
import type { ImageFormat } from './image.ts';

/** Bytes of the decoded samples at most: 8192 x 8192 of RGBA at 8 bit, or of grey at 16 bit twice over [ours]. */
const MAX_DECODED_BYTES = 256 * 1024 ** 2;

/** Scans of a JPEG at most: progressive ones have some ten, and each is a pass over all pixels [ours]. */
const MAX_SCANS = 64;

/** TOO_LARGE, told by the headers alone, for what is small as a file and takes gigabytes or minutes to decode. */
export function refuseGreedy(bytes: Uint8Array, format: ImageFormat, where: string): void {
  if (format === 'dicom') return; // as large as its file
  const decoded = format === 'png' ? pngBytes(bytes) : jpegBytes(bytes);
  if (decoded > MAX_DECODED_BYTES) {
    const mebibytes = (count: number): number => Math.round(count / 1024 ** 2);
    throw new CxrError(
      'TOO_LARGE',
      `${where} takes ${mebibytes(decoded)} MiB when it is decoded; expected at most ${mebibytes(MAX_DECODED_BYTES)}. Export it as 8-bit grey, or smaller.`,
    );
  }
  if (format === 'png') return;
  const scans = jpegScans(bytes);
  if (scans > MAX_SCANS) {
    throw new CxrError(
      'TOO_LARGE',
      `${where} has more than ${MAX_SCANS} scans, which no radiograph has. Export it as a baseline JPEG or PNG.`,
    );
  }
}

// Samples a pixel by PNG's colour type; a palette may come with transparency.
const PNG_CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 4, 4: 2, 6: 4 };

/** By the header chunk, which must be the first; 0 for a file that is shorter, which the decoder refuses. */
function pngBytes(bytes: Uint8Array): number {
  if (bytes.length < 26) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return view.getUint32(16) * view.getUint32(20) * (PNG_CHANNELS[bytes[25]!] ?? 4) * (bytes[24] === 16 ? 2 : 1);
}

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/** Frame headers: C0 to CF but for DHT, JPG and DAC. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

function jpegBytes(bytes: Uint8Array): number {
  let most = 0;
  for (const { marker, at } of jpegSegments(bytes)) {
    if (!isFrame(marker) || at + 10 > bytes.length) continue;
    const [height, width] = [bytes[at + 5]! * 256 + bytes[at + 6]!, bytes[at + 7]! * 256 + bytes[at + 8]!];
    // libjpeg keeps a progressive image's coefficients, two bytes each, and never gives more than three samples a pixel.
    const coefficients = marker === 0xc2 ? 2 : 1;
    most = Math.max(most, width * height * Math.min(bytes[at + 9]!, 4) * coefficients);
  }
  return most;
}

function jpegScans(bytes: Uint8Array): number {
  let scans = 0;
  for (const { marker } of jpegSegments(bytes)) {
    if (marker === START_OF_SCAN) scans += 1;
    if (scans > MAX_SCANS) break;
  }
  return scans;
}

/** Every marker with the place of its FF; entropy-coded data between them is skipped. */
function* jpegSegments(bytes: Uint8Array): Generator<{ marker: number; at: number }> {
  let at = 2;
  while (at >= 0 && at + 3 < bytes.length) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff || marker === 0 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd7)) {
      at = bytes.indexOf(0xff, at + 1);
      continue;
    }
    if (marker === END_OF_IMAGE) return;
    yield { marker, at };
    at += 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
}
