import { type PrismaClient, sweepObjects } from '@cxr-lens/prisma';
import type { Logger } from 'pino';

const EVERY_MS = 6 * 3_600_000;

/** Deletes what uploads and explanations that were killed left in the object store: now and every six hours. */
export function tidyObjects(prisma: PrismaClient, log: Logger): { stop(): Promise<void> } {
  let running = Promise.resolve();
  const tidy = async (): Promise<void> => {
    try {
      const { orphans, unfinished, bytes, foreign } = await sweepObjects(prisma);
      if (foreign) log.warn('the objects below CXR_HOME are of another database: none is deleted');
      else if (bytes > 0) log.info({ objects: orphans.length, unfinished: unfinished.length, bytes }, 'deleted objects that no row names');
    } catch (error) {
      log.warn({ err: error }, 'the object store could not be tidied up; it is tried again');
    }
  };
  const again = (): void => {
    running = running.then(tidy);
  };
  again();
  const timer = setInterval(again, EVERY_MS).unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
