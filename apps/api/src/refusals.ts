import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerStatus, type PublicError, publicError } from './errors.ts';
import { SAFETY_HEADERS } from './safety-headers.ts';

/** Answers an error of a route, or of Fastify before it has found one, in the shape of all errors. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, message } = publicError(error, { log: request.log, requestId: request.id });
  return reply
    .header('x-request-id', request.id)
    .headers(SAFETY_HEADERS)
    .code(answerStatus(error, code))
    .send({ code, message, requestId: request.id });
}

/** Answers what Node refuses before it is a request, where somebody still listens. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, refusal] = refusalOf(error);
  const body = answerOf(refusal);
  const head = Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

/** Answers an Expect header that is no 100-continue. */
export function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const body = answerOf({ code: 'BAD_INPUT', message: 'Expect: only 100-continue is understood.' });
  response.writeHead(417, headersOf(body)).end(body);
}

const headersOf = (body: string): Record<string, string | number> => ({
  ...SAFETY_HEADERS,
  'content-type': 'application/json; charset=utf-8',
  'content-length': Buffer.byteLength(body),
  connection: 'close',
});

const answerOf = (error: PublicError): string => JSON.stringify({ ...error, requestId: randomUUID() });

function refusalOf({ code }: NodeJS.ErrnoException): [status: string, error: PublicError] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', { code: 'TOO_LARGE', message: 'The headers are larger than 16 KiB.' }];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', { code: 'CANCELLED', message: 'The request did not arrive in time. Send it again.' }];
    default:
      return ['400 Bad Request', { code: 'BAD_INPUT', message: 'This is no HTTP request that can be understood.' }];
  }
}
