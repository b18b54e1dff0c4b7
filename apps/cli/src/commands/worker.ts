import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import type { CommandModule } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptSignal } from '../output.ts';

const MAIN = path.resolve(import.meta.dirname, '../../../worker/src/main.ts');

/** A worker that lived for longer than this before it crashed is started again at once and as often as needed. */
const HEALTHY_MS = 60_000;
const MAX_CRASHES = 5;
const BETWEEN_CRASHES_MS = 1000;

/** Starts a worker and starts it again when it crashes; ends with it, with Ctrl-C, and with whoever started this command. */
async function worker(): Promise<void> {
  const signal = interruptSignal();
  for (let crashes = 0; !signal.aborted; ) {
    const started = Date.now();
    const code = await runOnce(signal);
    if (signal.aborted) break;
    // Bad settings stay bad.
    if (code === EXIT.done.code || code === EXIT.badInput.code) {
      process.exitCode = code;
      break;
    }
    crashes = Date.now() - started > HEALTHY_MS ? 1 : crashes + 1;
    if (crashes >= MAX_CRASHES) throw new CxrError('INTERNAL', `The worker crashed ${crashes} times in a row: see its log above.`);
    process.stderr.write('The worker crashed and is started again; its jobs go on from their last checkpoint.\n');
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_CRASHES_MS));
  }
}

/** Runs the worker's process to its end; resolves to its exit code, 1 after a signal. */
async function runOnce(signal: AbortSignal): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [MAIN], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
  const end = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', end);
  child.on('message', (message) => process.send?.(message));
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? EXIT.internal.code));
    });
  } finally {
    signal.removeEventListener('abort', end);
  }
}

export const command: CommandModule = {
  configure(program) {
    program.action(worker);
  },
};
