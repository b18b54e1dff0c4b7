import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { CxrError } from '@cxr-lens/data';
import { Dicer } from '@fastify/busboy';
import { heard } from './read-file.ts';

/** One file of a request. Its stream must be read to its end before the next part comes. */
export interface Part {
  fileName: string | null;
  contentType: string | null;
  stream: Readable;
}

export const MAX_REQUEST_BYTES = 1024 ** 3;

// Parts below 16 KiB wait in memory until they are asked for; 1000 of them are 16 MiB.
const MAX_PARTS = 1000;

/** The boundary of a multipart request. BAD_INPUT when its content type names none. */
export function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (!boundary)
    throw new CxrError(
      'BAD_INPUT',
      `Content-Type "${contentType.slice(0, 200)}": expected a boundary, as in multipart/related; boundary=x.`,
    );
  return boundary;
}

/**
 * The parts of a multipart/related or multipart/form-data request, as they arrive: what is not read yet stays with the sender.
 * Throws BAD_INPUT when the request ends in the middle or is no multipart, TOO_LARGE above 1 GiB or 1000 parts, CANCELLED when the sender
 * goes away or falls silent.
 */
export async function* partsOf(request: IncomingMessage, boundary: string): AsyncGenerator<Part> {
  const ready: Part[] = [];
  let wake: () => void = () => undefined;
  let finished = false;
  let failure: Error | null = null;
  let count = 0;
  let received = 0;
  let open: Readable | null = null;
  const fail = (error: Error): void => {
    failure ??= error;
    request.unpipe(dicer).resume();
    // Dicer ends a part at its boundary alone: without this whoever reads it would wait for good.
    open?.destroy(failure);
    wake();
  };
  const dicer = new Dicer({ boundary });
  dicer.on('part', (stream) => {
    open = stream;
    stream.on('error', fail);
    stream.on('header', (header) => {
      count += 1;
      if (count > MAX_PARTS) return fail(new CxrError('TOO_LARGE', `More than ${MAX_PARTS} files in one request: send them in several.`));
      ready.push({ ...describe(header as Record<string, string[]>), stream });
      wake();
    });
  });
  dicer.on('finish', () => {
    finished = true;
    wake();
  });
  dicer.on('error', () =>
    fail(new CxrError('BAD_INPUT', 'The request ends in the middle of its multipart body, or is none. Send it again.')),
  );
  const count1 = (chunk: Buffer): void => {
    received += chunk.length;
    if (received > MAX_REQUEST_BYTES) fail(new CxrError('TOO_LARGE', 'The request is larger than 1 GiB: send the files in several.'));
  };
  request.on('data', count1);
  const closed = (): void => {
    if (!request.complete) fail(new CxrError('CANCELLED', 'The sender went away.'));
  };
  request.once('close', closed);
  request.pipe(dicer);
  try {
    while (true) {
      const part = ready.shift();
      if (part) yield part;
      else if (failure) throw failure;
      else if (finished) return;
      else await heard(new Promise<void>((resolve) => (wake = resolve)), 'The request');
    }
  } finally {
    request.off('data', count1).off('close', closed);
    request.unpipe(dicer).resume();
  }
}

/** What a part's header says of it. Header bytes arrive as latin1, while browsers write file names in UTF-8. */
function describe(header: Record<string, string[]>): Omit<Part, 'stream'> {
  const text = (name: string): string | null => {
    const value = header[name]?.[0];
    return value === undefined ? null : Buffer.from(value, 'latin1').toString('utf8');
  };
  const disposition = text('content-disposition') ?? '';
  const encoded = /filename\*=utf-8''([^;]+)/i.exec(disposition)?.[1];
  const plain = /filename="((?:[^"\\]|\\.)*)"/i.exec(disposition)?.[1] ?? /filename=([^;\s]+)/i.exec(disposition)?.[1];
  return { fileName: baseName(decoded(encoded) ?? plain?.replaceAll(/\\(.)/g, '$1') ?? null), contentType: text('content-type') };
}

function decoded(text: string | undefined): string | null {
  if (text === undefined) return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** The last part of a path, without control characters, of a length that a row and a screen can hold. */
export function baseName(name: string | null): string | null {
  const last = name
    ?.split(/[/\\]/)
    .at(-1)
    ?.replaceAll(/\p{Cc}/gu, '')
    .trim()
    .slice(-200);
  return last ? last : null;
}
