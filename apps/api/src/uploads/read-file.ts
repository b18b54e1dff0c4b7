import type { Readable } from 'node:stream';
import { CxrError } from '@cxr-lens/data';

export const MAX_FILE_BYTES = 64 * 1024 ** 2;

// Enough to tell what a file is; the most that is kept of one that is no image.
const HEAD_BYTES = 4096;

// Whoever sends nothing for so long has gone, or keeps the place of others.
const SILENCE_MS = 30_000;

/**
 * One file of an upload. What cannot be an image is counted and not kept. The stream is read to its end in every case, unless `stop` is
 * set: then it is left where the limit was passed.
 * Throws TOO_LARGE above 64 MiB, CANCELLED when nothing came for 30 s. The beginning of a file that is no image is returned: the decoder says in words what it looks like.
 */
export async function readFile(stream: Readable, where: string, options: { stop?: boolean } = {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let received = 0;
  let kept = 0;
  let image: boolean | null = null;
  for await (const chunk of heardChunks(stream, where, options.stop ?? false)) {
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

/** The chunks as they come. A part that fell silent is given up with its request; a bare request stays open for its answer. */
async function* heardChunks(stream: Readable, where: string, bare: boolean): AsyncGenerator<Buffer> {
  // Destroying the stream would close the socket under the answer.
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  while (true) {
    const next = await heard(chunks.next(), where).catch((cause: Error) => {
      const error = cause instanceof CxrError ? cause : brokenOff(where, cause);
      if (!bare) stream.destroy(error);
      throw error;
    });
    if (next.done) return;
    yield next.value;
  }
}

/** What the sender is waited for; CANCELLED when it sends nothing for 30 s. */
export async function heard<T>(coming: Promise<T>, where: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new CxrError('CANCELLED', `${where}: nothing came for ${SILENCE_MS / 1000} s. Send it again.`)),
      SILENCE_MS,
    );
  });
  try {
    return await Promise.race([coming, silence]);
  } finally {
    clearTimeout(timer);
  }
}

const brokenOff = (where: string, cause: Error): CxrError =>
  new CxrError('BAD_INPUT', `${where} breaks off in the middle of the request. Send it again.`, { cause });

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
