import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { answerClientError } from './refusals.ts';

/** Sockets that are open at once; the next ones are closed. */
const MAX_CONNECTIONS = 2000;
/** Until the headers of a request are there. */
const HEADERS_MS = 10_000;
/** Until a body of up to 1 MiB is there. Uploads have a minimum rate instead (uploads/patience.ts). */
const BODY_MS = 20_000;
/** After an early answer, the rest of a request is read and dropped for this long, so that a sender that reads only afterwards gets the answer. */
const REST_MS = 5000;
/** A client that reads nothing of its answer for so long has gone. */
const UNREAD_MS = 60_000;

/** Options of the server that close connections on which nothing comes. */
export const timeouts = { http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: 2000 } };

/** Closes what keeps a connection without using it. */
export function limitConnections(app: FastifyInstance): void {
  app.server.maxConnections = MAX_CONNECTIONS;
  app.addHook('onRequest', async (request) => {
    const { raw } = request;
    if (request.routeOptions.url === '/studies' || raw.complete) return;
    const timer = setTimeout(() => {
      if (!raw.complete) answerClientError({ name: 'Error', message: '', code: 'ERR_HTTP_REQUEST_TIMEOUT' }, raw.socket);
    }, BODY_MS);
    raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
  });
  app.addHook('onSend', async ({ raw }) => {
    if (raw.socket instanceof Socket) raw.socket.setTimeout(UNREAD_MS); // a request of `inject` has none
  });
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.complete) return;
    raw.resume();
    setTimeout(() => raw.complete || raw.socket.destroy(), REST_MS).unref();
  });
}
