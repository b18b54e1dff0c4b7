import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from './exit-codes.ts';

/** A process that lived for longer than this was well: the next pause is the shortest again. */
const HEALTHY_MS = 20_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
// A worker gives itself a minute for its last checkpoint.
const STOP_MS = 70_000;

export interface Supervised {
  /** As a person reads it. */
  name: string;
  start: () => ChildProcess;
  signal: AbortSignal;
  /** Kills a process that does not end within so long after `signal`. */
  stopMs?: number;
  /** Says what went wrong and what is done about it. */
  say: (line: string) => void;
}

/**
 * Keeps a process running until `signal` aborts, then ends it: one that ends before is started again, with growing pauses.
 * Resolves with its exit code: 0 after `signal`, 2 when it refuses its settings, which no further attempt would change. Settings with which
 * one was well before are refused for a moment only, as a port that the process before has not let go of.
 */
export async function supervise({ name, start, signal, stopMs = STOP_MS, say }: Supervised): Promise<number> {
  let wasWell = false;
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; ) {
    const started = Date.now();
    const end = await runOnce(start, signal, stopMs);
    if (signal.aborted) break;
    if (Date.now() - started > HEALTHY_MS) {
      pause = FIRST_PAUSE_MS;
      wasWell = true;
    }
    if (end === EXIT.badInput.code && !wasWell) return end;
    say(`The ${name} ended (${typeof end === 'number' ? `exit code ${end}` : end}) and is started again in ${pause / 1000} s.`);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
  return EXIT.done.code;
}

/** Runs the process to its end, which an abort asks for; resolves to its exit code, or the name of the signal or error that ended it. */
async function runOnce(start: () => ChildProcess, signal: AbortSignal, stopMs: number): Promise<number | string> {
  let child: ChildProcess;
  try {
    child = start();
  } catch (error) {
    // A full disk has no room for its log, or the system none for one more process.
    return (error as Error).message;
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, by) => resolve(by ?? code ?? EXIT.internal.code));
  });
  let kill: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    kill = setTimeout(() => child.kill('SIGKILL'), stopMs);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    return await ended;
  } finally {
    clearTimeout(kill);
    signal.removeEventListener('abort', stop);
  }
}
