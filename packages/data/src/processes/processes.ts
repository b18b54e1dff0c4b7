import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { CxrError, type ErrorCode } from '../error.ts';

// A radiograph takes 0.1 s; what takes this long was made to take long, or the machine has too much to do.
const TASK_MS = 30_000;
// The largest image that is taken needs 700 MB; what needs more was made to.
const MAX_MEMORY = 1024 ** 3;
// A process that has grown gives its memory back by ending.
const KEEP_MEMORY = 384 * 1024 ** 2;
const WATCH_MS = 100;
const PROCESSES = Math.min(2, availableParallelism());
const MAX_WAITING = 1000;

interface TaskOptions {
  /** Names what is worked on in errors. */
  where: string;
  /** Waits until nothing else does. */
  last?: boolean;
}

interface Waiting extends TaskOptions {
  task: unknown;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export type Reply = { result: unknown } | { error: { code: ErrorCode; message: string } };

/** Processes that work on what others sent, one task at a time each, and are ended when a task takes too long or too much memory. */
export interface Processes {
  /**
   * What the script's `answerTasks` gives for the task. Its CxrErrors as they are; UNAVAILABLE after 30 s, when the process ends, when
   * 1000 tasks wait or after `stop`; TOO_LARGE above 1 GiB of memory.
   */
  run(task: unknown, options: TaskOptions): Promise<unknown>;
  stop(): Promise<void>;
}

interface Options {
  /** Calls `answerTasks`. */
  script: URL;
  /** Starts the first process at once: its modules are loaded by the time of the first task. */
  eager?: boolean;
}

export function startProcesses({ script, eager = false }: Options): Processes {
  const queue: Waiting[] = [];
  const idle: ChildProcess[] = [];
  const all = new Set<ChildProcess>();
  let stopped = false;

  const open = (): ChildProcess => {
    // Node runs TypeScript by itself: no loader of this process must be handed on.
    const child = fork(script, { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    all.add(child);
    const gone = (): void => {
      all.delete(child);
      const at = idle.indexOf(child);
      if (at >= 0) idle.splice(at, 1);
    };
    child.on('error', gone).on('exit', gone);
    hold(child, false);
    return child;
  };
  const next = (): void => {
    while (queue.length > 0) {
      const child = idle.pop() ?? (all.size < PROCESSES ? open() : null);
      if (!child) return;
      start(child, queue.shift()!);
    }
  };
  const start = (child: ChildProcess, { task, where, resolve, reject }: Waiting): void => {
    hold(child, true);
    const begun = Date.now();
    const free = (): void => {
      clearInterval(watch);
      child.off('message', answered).off('error', ended).off('exit', ended);
    };
    const answered = (reply: Reply): void => {
      free();
      if ('error' in reply) reject(new CxrError(reply.error.code, reply.error.message));
      else resolve(reply.result);
      if (memoryOf(child) > KEEP_MEMORY) end(child);
      else {
        hold(child, false);
        idle.push(child);
      }
      next();
    };
    const giveUp = (error: CxrError): void => {
      free();
      end(child);
      reject(error);
      next();
    };
    const ended = (): void =>
      giveUp(
        new CxrError(
          'UNAVAILABLE',
          `${where}: ${stopped ? 'not done, as this process is stopping' : 'the process that worked on it ended'}. Try again.`,
        ),
      );
    const watch = setInterval(() => {
      if (Date.now() - begun > TASK_MS)
        giveUp(
          new CxrError(
            'UNAVAILABLE',
            `${where} took longer than ${TASK_MS / 1000} s and was given up. Try again when there is less to do.`,
          ),
        );
      else if (memoryOf(child) > MAX_MEMORY)
        giveUp(new CxrError('TOO_LARGE', `${where} takes more than ${MAX_MEMORY / 1024 ** 3} GiB of memory to read. Export it smaller.`));
    }, WATCH_MS);
    child.on('message', answered).on('error', ended).on('exit', ended);
    if (child.connected) child.send(task as object, (error) => error && ended());
    else ended();
  };
  const end = (child: ChildProcess): void => {
    all.delete(child);
    child.kill('SIGKILL');
  };
  if (eager) idle.push(open());
  return {
    run: (task, { where, last = false }) =>
      new Promise((resolve, reject) => {
        if (stopped) return reject(new CxrError('UNAVAILABLE', `${where}: not done, as this process is stopping.`));
        if (queue.length >= MAX_WAITING)
          return reject(new CxrError('UNAVAILABLE', `${where}: ${MAX_WAITING} others wait already. Try again.`));
        const before = last ? -1 : queue.findIndex((waiting) => waiting.last);
        queue.splice(before < 0 ? queue.length : before, 0, { task, where, last, resolve, reject });
        next();
      }),
    stop: async () => {
      stopped = true;
      for (const { where, reject } of queue.splice(0))
        reject(new CxrError('UNAVAILABLE', `${where}: not done, as this process is stopping.`));
      await Promise.all([...all].map((child) => ending(child)));
    },
  };
}

/** Whether the process keeps this one from ending. */
function hold(child: ChildProcess, held: boolean): void {
  if (held) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}

function ending(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    child.ref();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** Resident bytes; 0 where this system does not tell. */
function memoryOf({ pid }: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * 4096;
  } catch {
    return 0;
  }
}
