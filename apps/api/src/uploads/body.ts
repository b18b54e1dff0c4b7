import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { CxrError, cxrHome } from '@cxr-lens/data';
import { heard, type Patience } from './patience.ts';

export const MAX_FILE_BYTES = 64 * 1024 ** 2;

// What is longer goes to a file: many senders at once must not fill the memory.
const MEMORY_BYTES = 1024 ** 2;

// Enough to tell what a file is; the most that is kept of one that is no image.
const HEAD_BYTES = 4096;

/** Where the bytes of one uploaded file are, as a process that decodes them is told. */
export type Source = { bytes: Uint8Array } | { file: string };

export interface Body {
  source: Source;
  /** In bytes. */
  size: number;
  /** Removes the file, if it is one. */
  discard(): Promise<void>;
}

export const bytesOf = async (source: Source): Promise<Uint8Array> => ('bytes' in source ? source.bytes : readFile(source.file));

interface Receiving {
  /** Names the file in errors. */
  where: string;
  patience: Patience;
  /** Stops at the limit instead of reading on to the next part. */
  stop: boolean;
}

/**
 * Receives one file of an upload. What cannot be an image is counted and not kept: its beginning is returned, the decoder says in words
 * what it looks like. The stream is read to its end, unless `stop` is set: then it is left where the limit was passed.
 * Throws TOO_LARGE above 64 MiB, BAD_INPUT when it breaks off, CANCELLED when the sender is too slow, UNAVAILABLE when it cannot be kept.
 */
export async function receiveBody(stream: Readable, { where, patience, stop }: Receiving): Promise<Body> {
  const chunks: Buffer[] = [];
  let spill: Spill | null = null;
  let received = 0;
  let image: boolean | null = null;
  try {
    for await (const chunk of heardChunks(stream, where, patience)) {
      received += chunk.length;
      if (received > MAX_FILE_BYTES) {
        chunks.length = 0;
        if (stop) break;
        continue;
      }
      if (image === false) continue;
      if (spill) {
        await spill.write(chunk);
        continue;
      }
      chunks.push(chunk);
      if (image === null && received >= HEAD_BYTES) {
        const head = Buffer.concat(chunks);
        image = mayBeImage(head);
        chunks.splice(0, chunks.length, image ? head : Buffer.from(head.subarray(0, HEAD_BYTES)));
      }
      if (image && received > MEMORY_BYTES) {
        spill = await openSpill(where);
        for (const kept of chunks.splice(0)) await spill.write(kept);
      }
    }
    if (received > MAX_FILE_BYTES) throw tooLarge(where);
    if (!spill) return { source: { bytes: Buffer.concat(chunks) }, size: received, discard: async () => undefined };
    await spill.close();
    return { source: { file: spill.file }, size: received, discard: spill.discard };
  } catch (error) {
    await spill?.discard();
    if (!stop) setImmediate(() => stream.resume()); // the next part comes when this one is read
    throw error;
  }
}

interface Spill {
  file: string;
  write(chunk: Buffer): Promise<void>;
  close(): Promise<void>;
  discard(): Promise<void>;
}

/** A file among the unfinished objects, which are swept when a process leaves one behind. */
async function openSpill(where: string): Promise<Spill> {
  const refused = (cause: unknown): never => {
    const message = `${where} cannot be kept while it arrives: ${(cause as Error).message}. Check the space in CXR_HOME.`;
    throw new CxrError('UNAVAILABLE', message, { cause });
  };
  const folder = path.join(cxrHome(), 'objects', 'unfinished');
  const file = path.join(folder, randomUUID());
  await mkdir(folder, { recursive: true }).catch(refused);
  const handle = await open(file, 'wx', 0o600).catch(refused);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await handle.close();
    isOpen = false;
  };
  return {
    file,
    write: (chunk) => handle.appendFile(chunk).catch(refused),
    close,
    discard: async () => {
      await close().catch(() => undefined);
      await rm(file, { force: true });
    },
  };
}

/** The chunks as they come. A part that fell silent is given up with its request; a bare request stays open for its answer. */
async function* heardChunks(stream: Readable, where: string, patience: Patience): AsyncGenerator<Buffer> {
  // Destroying the stream would close the socket under the answer.
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  try {
    while (true) {
      const next = await heard(chunks.next(), { where, patience, size: (result) => result.value?.length ?? 0 }).catch((cause: Error) => {
        throw cause instanceof CxrError ? cause : brokenOff(where, cause);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Takes its listeners off the stream, so that what still comes can be let go. It waits for a chunk that was asked for.
    void chunks.return?.();
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
