import type { Jobs, PrismaClient } from '@cxr-lens/prisma';
import type { FastifyBaseLogger } from 'fastify';
import type { Changes } from './subscriptions.ts';
import type { Threads } from './threads/threads.ts';

/** What the running API has one of. */
export interface Services {
  prisma: PrismaClient;
  jobs: Jobs;
  changes: Changes;
  threads: Threads;
}

/** What a resolver gets: one a request, or one an operation of a WebSocket. */
export interface Context extends Services {
  requestId: string;
  log: FastifyBaseLogger;
}
