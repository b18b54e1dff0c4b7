import type { Readable } from 'node:stream';
import { CxrError } from '@cxr-lens/data';

export const MAX_FILE_BYTES = 64 * 1024 ** 2;

// Enough to tell what a file is; the most that is kept of one that is no image.
const HEAD_BYTES = 4096;

/**
 * One file of an upload. What cannot be an image is counted and not kept. The stream is read to its end in every case, unless `stop` is
 * set: then it is left where the limit was passed.
 * Throws TOO_LARGE above 64 MiB. The beginning of a file that is no image is returned: the decoder says in words what it looks like.
 */
export async function readFile(stream: Readable, where: string, options: { stop?: boolean } = {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let received = 0;
  let kept = 0;
  let image: boolean | null = null;
  // Destroying the stream would close the socket under the answer.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > MAX_FILE_BYTES) {
      chunks.length = 0;
      if (options.stop) break;
      continue;
    }
    if (image === false && kept >= HEAD_BYTES) continue;
    chunks.push(chunk);
    kept += chunk.length;
    if (image === null && kept >= HEAD_BYTES) image = mayBeImage(Buffer.concat(chunks));
  }
  if (received > MAX_FILE_BYTES) {
    stream.resume(); // what still comes is let go, so that the sender gets to read the answer
    throw tooLarge(where);
  }
  const bytes = Buffer.concat(chunks);
  return image === false ? bytes.subarray(0, HEAD_BYTES) : bytes;
}

export const tooLarge = (where: string): CxrError =>
  new CxrError('TOO_LARGE', `${where} is larger than ${MAX_FILE_BYTES / 1024 ** 2} MiB, the most that one image may have.`);

/** PNG, JPEG, DICOM with its preamble, or a DICOM data set that starts with group 0002 or 0008 without one. */
function mayBeImage(head: Buffer): boolean {
  const group = head.readUInt16LE(0);
  return (
    head.readUInt32BE(0) === 0x89504e47 ||
    head.readUInt16BE(0) === 0xffd8 ||
    head.toString('latin1', 128, 132) === 'DICM' ||
    group === 2 ||
    group === 8 ||
    group === 0x0800
  );
}
