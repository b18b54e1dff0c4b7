import type { Jobs, PrismaClient } from '@cxr-lens/prisma';
import type { FastifyBaseLogger } from 'fastify';
import type { Changes } from './subscriptions.ts';

/** What the running API has one of. */
export interface Services {
  prisma: PrismaClient;
  jobs: Jobs;
  changes: Changes;
}

/** What a resolver gets: one a request, or one an operation of a WebSocket. */
export interface Context extends Services {
  requestId: string;
  log: FastifyBaseLogger;
}
