import { CxrError } from '@cxr-lens/data';

const PATIENCE_MS = 30_000;
const PAUSE_MS = 500;

/** Tries again for half a minute while the server does not answer: a restarted database must not cost a day of training. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isDatabaseAway(error) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/**
 * Prisma: not reached (P1001), timed out (P1008), closed (P1017), no connection free (P2024, P2037), no transaction begun or one that was lost
 * (P2028). Postgres: too many connections (53300), out of memory or disk (53200, 53100), shut down (57P01, 57P02), starting (57P03).
 */
const CODES: ReadonlySet<unknown> = new Set(
  'P1001 P1008 P1017 P2024 P2028 P2037 ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT 53100 53200 53300 57P01 57P02 57P03'.split(' '),
);

/** Where Prisma's own code says nothing, its message still has that of Postgres. */
const CODE_IN_MESSAGE = /Code: `(\w{5})`/;
const WORDS =
  /ECONNREFUSED|ECONNRESET|EPIPE|Connection terminated|Client has encountered a connection error|server closed the connection|shutting down|starting up|too many clients|too many connections|remaining connection slots|timeout exceeded when trying to connect|no more connections allowed/i;

/** Whether the database is away or overloaded: the same request may succeed later. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const codes = [(error as { code?: unknown }).code, CODE_IN_MESSAGE.exec(error.message)?.[1]];
  if (codes.some((code) => CODES.has(code)) || WORDS.test(error.message)) return true;
  return isDatabaseAway(error.cause);
}

/** A process that starts may lose the database at any point: UNAVAILABLE where `error` says so, else the error as it is. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof CxrError || !isDatabaseAway(error)) return error;
  return new CxrError('UNAVAILABLE', `The database does not answer now: ${(error as Error).message}.`, { cause: error });
}
