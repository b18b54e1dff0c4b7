import { spawn } from 'node:child_process';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import type { CommandModule } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptSignal } from '../output.ts';

const MAIN = path.resolve(import.meta.dirname, '../../../api/src/main.ts');

interface ServeOptions {
  port?: string;
  dashboard?: string;
}

/** Starts the API and stays with it; ends with it, with Ctrl-C, and with whoever started this command. */
async function serve({ port, dashboard }: ServeOptions): Promise<void> {
  const env = { ...process.env, ...(port ? { PORT: port } : {}), ...(dashboard ? { DASHBOARD_URL: dashboard } : {}) };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
  const end = (): void => void child.kill('SIGTERM');
  interruptSignal().addEventListener('abort', end);
  child.on('message', (message) => {
    process.stderr.write(`The API listens on ${(message as { url: string }).url}\n`);
    process.send?.(message);
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => resolve(status ?? EXIT.internal.code));
  });
  // It has said on stderr what is wrong with its settings.
  if (code !== EXIT.done.code && code !== EXIT.badInput.code)
    throw new CxrError('INTERNAL', `The API ended with exit code ${code}: see its log above.`);
  process.exitCode = code;
}

export const command: CommandModule = {
  configure(program) {
    program
      .option('--port <port>', 'port on 127.0.0.1 (default: PORT or 4000)')
      .option('--dashboard <url>', "where the pages are served; all that is not the API's is handed on to it (default: DASHBOARD_URL)")
      .addHelpText('after', '\nGraphQL and live updates at /graphql, uploads at POST /studies; docs/api.md shows both with curl.')
      .action(serve);
  },
};
