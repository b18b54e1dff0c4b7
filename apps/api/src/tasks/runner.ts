import { startProcesses } from '@cxr-lens/data';
import type { Task, TaskResult } from './tasks.ts';

/** Decoding, drawing and bootstraps in processes of their own, so that none of them stops the API or takes its memory. */
export interface TaskRunner {
  run<T extends Task>(task: T): Promise<TaskResult<T>>;
  stop(): Promise<void>;
}

export function startTaskRunner(): TaskRunner {
  const processes = startProcesses({ script: new URL('./process.ts', import.meta.url), eager: true });
  return {
    // Comparisons ask for many bootstraps at once: whoever uploads or looks at a picture goes first.
    run: async <T extends Task>(task: T) =>
      (await processes.run(task, { where: task.where, last: task.kind === 'difference' })) as TaskResult<T>,
    stop: () => processes.stop(),
  };
}
