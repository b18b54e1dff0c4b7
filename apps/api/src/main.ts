import { CxrError } from '@cxr-lens/data';
import { createPrisma, ensureDatabase } from '@cxr-lens/prisma';
import { createLog } from './log.ts';
import { createServer } from './server.ts';

// Longer than an upload needs, shorter than a person waits.
const STOP_MS = 10_000;

/** The API's process: PORT (4000), DATABASE_URL (the embedded server), DASHBOARD_URL, LOG_LEVEL (info). */
async function main(): Promise<void> {
  const log = createLog(process.env['LOG_LEVEL'] ?? 'info');
  const port = portOf(process.env['PORT']);
  const databaseUrl = await ensureDatabase();
  const prisma = createPrisma(databaseUrl);
  const dashboardUrl = process.env['DASHBOARD_URL'];
  const app = await createServer({ prisma, databaseUrl, log, ...(dashboardUrl ? { dashboardUrl } : {}) });

  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info(`stopping: ${reason}`);
    setTimeout(() => process.exit(1), STOP_MS).unref();
    await app.close();
    await prisma.$disconnect();
    if (process.connected) process.disconnect();
  };
  process.once('SIGTERM', () => void stop('SIGTERM'));
  process.once('SIGINT', () => void stop('SIGINT'));
  // The channel to whoever started this: when that process is gone, kill -9 included, nobody needs the API any more.
  if (process.channel) process.once('disconnect', () => void stop('its parent ended'));

  try {
    await app.listen({ host: '127.0.0.1', port });
  } catch (error) {
    await stop('it cannot listen');
    throw listenError(error, port);
  }
  process.send?.({ type: 'listening', url: `http://127.0.0.1:${port}` });
}

function portOf(text: string | undefined): number {
  const port = Number(text || 4000);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new CxrError('BAD_INPUT', `PORT is "${text}": expected a number from 1 to 65535.`);
}

function listenError(error: unknown, port: number): unknown {
  const { code } = error as { code?: string };
  if (code === 'EADDRINUSE')
    return new CxrError('UNAVAILABLE', `Port ${port} is in use: stop what listens there, or set PORT to a free one.`);
  if (code === 'EACCES') return new CxrError('UNAVAILABLE', `Port ${port} may not be used by this account: set PORT to one above 1023.`);
  return error;
}

main().catch((error: unknown) => {
  const text =
    error instanceof CxrError ? `${error.code}: ${error.message}` : `INTERNAL: ${error instanceof Error ? error.stack : String(error)}`;
  process.stderr.write(`${text}\n`);
  process.exitCode = error instanceof CxrError && error.code !== 'INTERNAL' ? 2 : 1;
});
