import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../generated/client/client.ts';

/** How long a transaction waits for a free connection, and how long it may take. */
const TRANSACTIONS = { maxWait: 30_000, timeout: 30_000 };

/** A client of the database at `url` with at most so many connections; it connects with its first query. Call `$disconnect()` at the end. */
export function createPrisma(url: string, options: { connections?: number } = {}): PrismaClient {
  const adapter = new PrismaPg({ connectionString: url, max: options.connections ?? CONNECTIONS.client });
  return new PrismaClient({ adapter, transactionOptions: TRANSACTIONS });
}

/** The most connections of one process: those of its client, of its queue (one of them listens), and one that listens for changes. */
export const CONNECTIONS = { client: 6, queue: 3, events: 1 } as const;

/** The connections that one API or worker may open, of the server's `max_connections`. */
export const CONNECTIONS_A_PROCESS = CONNECTIONS.client + CONNECTIONS.queue + CONNECTIONS.events;

/**
 * Where LISTEN, session locks and migrations connect: DATABASE_DIRECT_URL, else `url`. They need a connection of their own for longer
 * than a transaction, which a pooler such as PgBouncer does not give.
 */
export function directUrl(url: string): string {
  return process.env['DATABASE_DIRECT_URL'] || url;
}
