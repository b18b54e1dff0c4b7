import type { Jobs, PrismaClient } from '@cxr-lens/prisma';
import type { FastifyBaseLogger } from 'fastify';
import { type Budget, createBudget } from './budget.ts';
import { limitedReads } from './limited-reads.ts';
import type { Changes } from './subscriptions.ts';
import type { TaskRunner } from './tasks/runner.ts';

/** What the running API has one of. */
export interface Services {
  prisma: PrismaClient;
  jobs: Jobs;
  changes: Changes;
  tasks: TaskRunner;
}

/** Resolvers get one context per request, or per operation of a WebSocket. It counts the reads of its client. */
export interface Context extends Services {
  requestId: string;
  log: FastifyBaseLogger;
  budget: Budget;
  /** The client without a budget, for what waits between the events of a subscription. */
  uncounted: PrismaClient;
}

export function createContext(services: Services, request: Pick<Context, 'requestId' | 'log'>): Context {
  const context: Context = { ...services, ...request, budget: createBudget(), uncounted: services.prisma };
  context.prisma = limitedReads(services.prisma, () => context.budget);
  return context;
}
