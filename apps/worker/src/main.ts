import { CxrError, EXIT_TRY_AGAIN, onParentEnd, PRIVATE_UMASK } from '@cxr-lens/data';
import { asUnavailable, ensureDatabase } from '@cxr-lens/prisma';
import { pino } from 'pino';
import { startWorker } from './worker.ts';

// Longer than a training step and its checkpoint need.
const STOP_MS = 60_000;
const ORPHAN_STOP_MS = 5000;

/** The worker's process: DATABASE_URL (the embedded server), CXR_HOME, LOG_LEVEL (info). */
async function main(): Promise<void> {
  let stop = async (_reason: string, code: number, _withinMs: number): Promise<void> => process.exit(code);
  process.once('SIGTERM', () => void stop('SIGTERM', 0, STOP_MS));
  process.once('SIGINT', () => void stop('SIGINT', 0, STOP_MS));
  onParentEnd(() => void stop('its parent ended', 0, ORPHAN_STOP_MS));
  process.umask(PRIVATE_UMASK);
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'info', base: { app: 'worker' }, serializers: { err: withoutExtras } });
  const worker = await startWorker({ url: await ensureDatabase(), log });

  let stopping = false;
  stop = async (reason, code, withinMs) => {
    if (stopping) return;
    stopping = true;
    log.info(`stopping: ${reason}`);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), withinMs).unref();
    await worker.stop();
    // An engine that is stuck in an operation lets no other end through.
    if (code === EXIT_TRY_AGAIN) process.kill(process.pid, 'SIGKILL');
    process.exit(code);
  };
  void worker.died.then((error) => {
    log.error({ err: error }, 'the engine died');
    return stop('the engine died', EXIT_TRY_AGAIN, ORPHAN_STOP_MS);
  });
  process.send?.({ type: 'ready' });
}

/** Errors of the database driver carry their whole connection with them. */
function withoutExtras(error: Error): object {
  return { type: error.name, message: error.message, stack: error.stack };
}

main().catch((thrown: unknown) => {
  const error = asUnavailable(thrown);
  const known = error instanceof CxrError;
  process.stderr.write(
    `${known ? `${error.code}: ${error.message}` : `INTERNAL: ${error instanceof Error ? error.stack : String(error)}`}\n`,
  );
  process.exit(known && error.code === 'UNAVAILABLE' ? EXIT_TRY_AGAIN : known && error.code !== 'INTERNAL' ? 2 : 1);
});
