import { ensureDatabase, stopDatabase } from '@cxr-lens/prisma';

// The demo's database: tells its parent the address, and stops the embedded server when the parent asks or is gone.
const stop = async (): Promise<void> => {
  await stopDatabase();
  process.exit(0);
};
for (const event of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(event, () => void stop());

process.send?.(await ensureDatabase());
setInterval(() => {}, 2 ** 30);
