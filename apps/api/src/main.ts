import { CxrError, EXIT_TRY_AGAIN, onParentEnd, PRIVATE_UMASK } from '@cxr-lens/data';
import { asUnavailable, createPrisma, ensureDatabase } from '@cxr-lens/prisma';
import { z } from 'zod';
import { parse } from './input.ts';
import { createLog } from './log.ts';
import { createServer } from './server.ts';

// Longer than an upload needs, shorter than a person waits.
const STOP_MS = 10_000;

const A_PORT = 'expected a number from 1 to 65535';
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

const EnvironmentSchema = z.object({
  PORT: z.coerce.number(A_PORT).int(A_PORT).min(1, A_PORT).max(65_535, A_PORT).default(4000),
  LOG_LEVEL: z.enum(LEVELS, `expected one of ${LEVELS.join(', ')}`).default('info'),
  DASHBOARD_URL: z.url({ protocol: /^https?$/, error: 'expected an address as http://127.0.0.1:3000' }).optional(),
});

/** The API's process: PORT (4000), DATABASE_URL (the embedded server), DASHBOARD_URL, LOG_LEVEL (info). An empty variable is one that is not set. */
async function main(): Promise<void> {
  let stop = async (_reason: string): Promise<void> => process.exit(0);
  process.once('SIGTERM', () => void stop('SIGTERM'));
  process.once('SIGINT', () => void stop('SIGINT'));
  onParentEnd(() => void stop('its parent ended'));
  process.umask(PRIVATE_UMASK);
  const set = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
  const { PORT: port, LOG_LEVEL: level, DASHBOARD_URL: dashboardUrl } = parse(EnvironmentSchema, set);
  const log = createLog(level);
  const databaseUrl = await ensureDatabase();
  const prisma = createPrisma(databaseUrl);
  const app = await createServer({ prisma, databaseUrl, log, ...(dashboardUrl ? { dashboardUrl } : {}) });

  let stopping = false;
  stop = async (reason) => {
    if (stopping) return;
    stopping = true;
    log.info(`stopping: ${reason}`);
    setTimeout(() => process.exit(1), STOP_MS).unref();
    await app.close();
    await prisma.$disconnect();
    if (process.connected) process.disconnect();
  };

  try {
    await app.listen({ host: '127.0.0.1', port });
  } catch (error) {
    await stop('it cannot listen');
    throw listenError(error, port);
  }
  process.send?.({ type: 'listening', url: `http://127.0.0.1:${port}` });
}

function listenError(error: unknown, port: number): unknown {
  const { code } = error as { code?: string };
  if (code === 'EADDRINUSE') return new CxrError('CONFLICT', `Port ${port} is in use: stop what listens there, or set PORT to a free one.`);
  if (code === 'EACCES') return new CxrError('BAD_INPUT', `Port ${port} may not be used by this account: set PORT to one above 1023.`);
  return error;
}

/** 2 where the same settings would be refused again. */
function exitCode(error: unknown): number {
  if (!(error instanceof CxrError) || error.code === 'INTERNAL') return 1;
  return error.code === 'UNAVAILABLE' ? EXIT_TRY_AGAIN : 2;
}

main().catch((thrown: unknown) => {
  const error = asUnavailable(thrown);
  const text =
    error instanceof CxrError ? `${error.code}: ${error.message}` : `INTERNAL: ${error instanceof Error ? error.stack : String(error)}`;
  process.stderr.write(`${text}\n`);
  process.exit(exitCode(error));
});
