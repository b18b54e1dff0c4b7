import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { CHILD_ENV, CxrError, cxrHome, rotateLog } from '@cxr-lens/data';

const BIN = path.resolve(import.meta.dirname, '../../bin/cxr-lens.mjs');

/** A process of the demo. It leads its own group, so that Ctrl-C reaches the demo alone and children stop in order; it ends itself when the channel closes. */
export interface Child {
  name: string;
  process: ChildProcess;
  /** Resolves to the exit code, 128 after a signal. */
  exited: Promise<number>;
}

/** Where a child's stdout goes, which holds its log; what a person should read comes on stderr. */
const logFile = (name: string): string => path.join(cxrHome(), 'logs', `${name.replaceAll(' ', '-')}.log`);

/** Starts the pinned Node with `args`. */
function startNode(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Child {
  mkdirSync(path.dirname(logFile(name)), { recursive: true, mode: 0o700 });
  const log = openSync(logFile(name), 'a', 0o600);
  const child = spawn(process.execPath, args, { env: { ...env, ...CHILD_ENV }, stdio: ['ignore', log, 'inherit', 'ipc'], detached: true });
  closeSync(log);
  boundLog(name, child);
  const exited = new Promise<number>((resolve) => child.once('exit', (code, signal) => resolve(signal ? 128 : (code ?? 1))));
  return { name, process: child, exited };
}

// Seldom enough to cost nothing, often enough that no log grows far above its limit.
const LOOK_MS = 10_000;

/** Bounds the log at once and for as long as the child runs. A busy demo only looks later: the child writes to the file itself. */
function boundLog(name: string, child: ChildProcess): void {
  const look = (): void => {
    try {
      rotateLog(logFile(name));
    } catch {
      // The disk refuses now: the next look may do better.
    }
  };
  look();
  const timer = setInterval(look, LOOK_MS).unref();
  child.once('exit', () => clearInterval(timer)).once('error', () => clearInterval(timer));
}

/** Starts a JavaScript module. */
export const startModule = (name: string, args: readonly [file: string, ...string[]], env: NodeJS.ProcessEnv): Child =>
  startNode(name, args, env);

/** Starts one command of `cxr-lens`. */
export const startCommand = (args: readonly string[], env: NodeJS.ProcessEnv): Child =>
  startNode(`cxr-lens ${args[0]}`, [BIN, ...args], env);

/** Waits for the end of what `start` starts. CANCELLED when `signal` aborts it; otherwise a failure is an error with its exit code. */
export async function runToEnd(start: () => Child, signal: AbortSignal): Promise<void> {
  const cancelled = (): CxrError => new CxrError('CANCELLED', 'Stopped. The same command goes on from here.');
  if (signal.aborted) throw cancelled();
  const child = start();
  const stop = (): void => void child.process.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const code = await child.exited;
  signal.removeEventListener('abort', stop);
  if (signal.aborted) throw cancelled();
  if (code !== 0)
    throw new CxrError('INTERNAL', `${child.name} ended with exit code ${code}: see its message above and ${logFile(child.name)}.`);
}
