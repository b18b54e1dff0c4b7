import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { CxrError } from '@cxr-lens/data';
import { Dicer } from '@fastify/busboy';
import { parse } from '../input.ts';
import { heard, type Patience } from './patience.ts';
import { PartHeaderSchema } from './request.ts';

/** One file of a request. Its stream must be read to its end before the next part comes. */
export interface Part {
  fileName: string | null;
  stream: Readable;
}

export const MAX_REQUEST_BYTES = 1024 ** 3;

// Parts below 16 KiB wait in memory until they are asked for; 1000 of them are 16 MiB.
const MAX_PARTS = 1000;

const unfinished = (): CxrError =>
  new CxrError('BAD_INPUT', 'The request ends in the middle of its multipart body, or is none. Send it again.');

/**
 * The parts of a multipart/related or multipart/form-data request, as they arrive: what is not read yet stays with the sender.
 * Throws BAD_INPUT when the request ends in the middle or is no multipart, TOO_LARGE above 1 GiB or 1000 parts, CANCELLED when the sender
 * goes away or is too slow.
 */
export async function* partsOf(request: IncomingMessage, boundary: string, patience: Patience): AsyncGenerator<Part> {
  const ready: { header: object; stream: Readable }[] = [];
  let wake: () => void = () => undefined;
  let finished = false;
  let failure: Error | null = null;
  let count = 0;
  let received = 0;
  let open: Readable | null = null;
  const fail = (error: Error): void => {
    failure ??= error instanceof CxrError ? error : unfinished();
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
      ready.push({ header, stream });
      wake();
    });
  });
  dicer.on('finish', () => {
    finished = true;
    wake();
  });
  dicer.on('error', fail);
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
      if (part) yield { fileName: parse(PartHeaderSchema, part.header)['content-disposition'][0], stream: part.stream };
      else if (failure) throw failure;
      else if (finished) return;
      else await heard(new Promise<void>((resolve) => (wake = resolve)), { where: 'The request', patience, size: () => 0 });
    }
  } finally {
    request.off('data', count1).off('close', closed);
    request.unpipe(dicer).resume();
  }
}
