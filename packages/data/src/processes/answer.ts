import { CxrError } from '../error.ts';
import type { Reply } from './processes.ts';

/** Called by a script of `startProcesses`: answers its tasks until the process that started it is gone. */
export function answerTasks(perform: (task: never) => Promise<unknown>): void {
  process.on('message', async (task: unknown) => {
    const reply: Reply = await perform(task as never).then(
      (result) => ({ result }),
      (error: unknown) => ({
        // Errors lose their class on the way.
        error: {
          code: error instanceof CxrError ? error.code : 'INTERNAL',
          message: error instanceof Error ? error.message : String(error),
        },
      }),
    );
    process.send?.(reply);
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches the whole group; whoever started this process ends it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  if (!process.connected) process.exit();
}
