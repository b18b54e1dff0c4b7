import { CxrError } from '@cxr-lens/data';
import { createJobs, type PrismaClient } from '@cxr-lens/prisma';
import httpProxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { RequestIdSchema, requireOwnHost, requireOwnOrigin } from './callers.ts';
import { limitConnections, timeouts } from './connections.ts';
import { graphqlRoutes } from './graphql.ts';
import { parse } from './input.ts';
import { pictureRoutes } from './pictures/routes.ts';
import { answerClientError, answerError, answerExpectation } from './refusals.ts';
import { SAFETY_HEADERS } from './safety-headers.ts';
import { listenForChanges } from './subscriptions.ts';
import { startTaskRunner } from './tasks/runner.ts';
import { knownImages } from './uploads/known-boxes.ts';
import { uploadRoutes } from './uploads/routes.ts';

// What requests and uploads get to end when the API stops.
const CLOSE_MS = 5000;

export interface ServerOptions {
  prisma: PrismaClient;
  /** Of the same database, for the queue and for live updates. */
  databaseUrl: string;
  log: FastifyBaseLogger;
  /** Where the pages are served; everything that is not the API's goes there. */
  dashboardUrl?: string;
}

/** The API, ready to listen. `app.close()` ends what it started: requests, subscriptions, queue, tasks; the client stays open. */
export async function createServer({ prisma, databaseUrl, log, dashboardUrl }: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1024 ** 2,
    ...timeouts,
    frameworkErrors: answerError,
    clientErrorHandler: answerClientError,
    genReqId: ({ headers }) => parse(RequestIdSchema, headers['x-request-id']),
  });
  const jobs = await createJobs({ prisma, url: databaseUrl, onError: (error) => log.error({ err: error }, 'the job queue reports') });
  const changes = listenForChanges(databaseUrl, log);
  const tasks = startTaskRunner();
  const known = knownImages(prisma, log);
  app.addHook('preClose', async () => {
    // A sender whose upload was refused in its middle may keep the connection open without another word.
    const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS).unref();
    app.server.once('close', () => clearTimeout(timer));
  });
  app.addHook('onClose', async () => {
    known.close();
    await Promise.all([tasks.stop(), changes.stop(), jobs.stop()]);
  });

  const pagesPort = dashboardUrl === undefined ? undefined : portOf(dashboardUrl);
  limitConnections(app);
  // Before our own hooks: only so does it let go of the socket of an upgrade that they refuse.
  await app.register(websocket, { options: { maxPayload: 64 * 1024 } });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).headers(SAFETY_HEADERS);
    if (request.method !== 'GET' || request.url !== '/healthz') requireOwnHost(request);
    requireOwnOrigin(request, pagesPort);
  });
  app.addHook('onResponse', async ({ method, url }, { statusCode, elapsedTime, request }) => {
    const ms = Math.round(elapsedTime);
    request.log.info({ method, path: url.split('?')[0], status: statusCode, ms }, 'request');
  });
  app.setErrorHandler(answerError);
  app.server.on('checkExpectation', answerExpectation);

  await app.register((scope) => graphqlRoutes(scope, { prisma, jobs, changes, tasks }));
  await app.register((scope) => uploadRoutes(scope, { prisma, jobs, tasks, known }));
  pictureRoutes(app, { prisma, tasks });
  app.get('/healthz', async () => {
    await prisma.$queryRaw`SELECT 1`.catch((error: unknown) => {
      throw new CxrError('UNAVAILABLE', 'The database does not answer.', { cause: error });
    });
    return { status: 'ok' };
  });
  if (dashboardUrl) await app.register(httpProxy, dashboard(dashboardUrl));
  else
    app.setNotFoundHandler(({ method, url }) =>
      Promise.reject(new CxrError('NOT_FOUND', `There is no ${method} ${url.split('?')[0]} here.`)),
    );
  return app;
}

const portOf = (url: string): number => Number(new URL(url).port || 80);

function dashboard(upstream: string): FastifyHttpProxyOptions {
  return {
    upstream,
    replyOptions: {
      rewriteRequestHeaders: ({ headers: { host } }, headers) => ({ ...headers, 'x-forwarded-host': host, 'x-forwarded-proto': 'http' }),
      onError: (reply) => {
        const message = 'The dashboard does not answer yet: try again in a moment.';
        void reply.code(503).send({ code: 'UNAVAILABLE', message, requestId: reply.request.id });
      },
    },
  };
}
