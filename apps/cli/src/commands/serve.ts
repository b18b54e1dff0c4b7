import { spawn } from 'node:child_process';
import path from 'node:path';
import { CHILD_ENV } from '@cxr-lens/data';
import type { CommandModule } from '../command.ts';
import { interruptSignal } from '../output.ts';
import { supervise } from '../supervise.ts';

const MAIN = path.resolve(import.meta.dirname, '../../../api/src/main.ts');

interface ServeOptions {
  port?: string;
  dashboard?: string;
}

/** Keeps the API running; ends with Ctrl-C and with whoever started this command. */
async function serve({ port, dashboard }: ServeOptions): Promise<void> {
  const signal = interruptSignal();
  const settings = { ...(port ? { PORT: port } : {}), ...(dashboard ? { DASHBOARD_URL: dashboard } : {}) };
  const env = { ...process.env, ...settings, ...CHILD_ENV };
  process.exitCode = await supervise({
    name: 'API',
    start() {
      const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
      child.on('message', (message) => {
        process.stderr.write(`The API listens on ${(message as { url: string }).url}\n`);
        process.send?.(message);
      });
      return child;
    },
    signal,
    say: (line) => process.stderr.write(`${line}\n`),
  });
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
