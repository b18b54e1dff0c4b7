import { spawn } from 'node:child_process';
import path from 'node:path';
import { CHILD_ENV } from '@cxr-lens/data';
import type { CommandModule } from '../command.ts';
import { interruptSignal } from '../output.ts';
import { supervise } from '../supervise.ts';

const MAIN = path.resolve(import.meta.dirname, '../../../worker/src/main.ts');

/** Keeps a worker running; ends with Ctrl-C and with whoever started this command. Its jobs go on from their last checkpoint. */
async function worker(): Promise<void> {
  const signal = interruptSignal();
  process.exitCode = await supervise({
    name: 'worker',
    start() {
      const env = { ...process.env, ...CHILD_ENV };
      const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
      child.on('message', (message) => process.send?.(message));
      return child;
    },
    signal,
    say: (line) => process.stderr.write(`${line}\n`),
  });
}

export const command: CommandModule = {
  configure(program) {
    program.action(worker);
  },
};
