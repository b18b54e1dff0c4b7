import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { CxrError, type ErrorCode } from '@cxr-lens/data';
import type { Task, TaskResult } from './tasks.ts';

// A radiograph takes 0.1 s; what takes this long was made to take long.
const TASK_MS = 60_000;
const THREADS = Math.min(2, availableParallelism());

interface Waiting {
  task: Task;
  resolve(result: never): void;
  reject(error: Error): void;
}

type Answer = { result: unknown } | { error: { code: ErrorCode; message: string } };

/** Decoding, drawing and bootstraps in threads, one task a thread at a time, so that none of them stops the API. */
export interface Threads {
  run<T extends Task>(task: T): Promise<TaskResult<T>>;
  stop(): Promise<void>;
}

export function startThreads(): Threads {
  const queue: Waiting[] = [];
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  let stopped = false;

  const open = (): Worker => {
    const worker = new Worker(new URL('./thread.ts', import.meta.url));
    worker.unref();
    all.add(worker);
    return worker;
  };
  const next = (): void => {
    if (queue.length === 0) return;
    const worker = idle.pop() ?? (all.size < THREADS ? open() : null);
    if (worker) start(worker, queue.shift()!);
  };
  const start = (worker: Worker, { task, resolve, reject }: Waiting): void => {
    worker.ref();
    const done = (answer: Answer): void => {
      free();
      if ('error' in answer) reject(new CxrError(answer.error.code, answer.error.message));
      else resolve(answer.result as never);
      worker.unref();
      idle.push(worker);
      next();
    };
    const failed = (error: Error): void => {
      free();
      all.delete(worker);
      void worker.terminate();
      reject(error);
      next();
    };
    const exited = (): void => failed(new CxrError('UNAVAILABLE', `${task.where}: not done, as the API is stopping.`));
    const timer = setTimeout(
      () => failed(new CxrError('CORRUPT', `${task.where} took longer than ${TASK_MS / 1000} s and was given up.`)),
      TASK_MS,
    );
    const free = (): void => {
      clearTimeout(timer);
      worker.off('message', done).off('error', failed).off('exit', exited);
    };
    worker.on('message', done).on('error', failed).on('exit', exited);
    worker.postMessage(task);
  };
  idle.push(open()); // its modules are loaded by the time of the first upload
  return {
    run: (task) => {
      if (stopped) return Promise.reject(new CxrError('UNAVAILABLE', 'The API is stopping.'));
      return new Promise((resolve, reject) => {
        // Comparisons ask for many bootstraps at once: whoever uploads or looks at a picture goes first.
        const first = task.kind === 'difference' ? -1 : queue.findIndex((waiting) => waiting.task.kind === 'difference');
        queue.splice(first < 0 ? queue.length : first, 0, { task, resolve: resolve as Waiting['resolve'], reject });
        next();
      });
    },
    stop: async () => {
      stopped = true;
      for (const { reject } of queue.splice(0)) reject(new CxrError('UNAVAILABLE', 'The API is stopping.'));
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}
