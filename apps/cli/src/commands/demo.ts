import { mkdirSync } from 'node:fs';
import { CxrError, cxrHome } from '@cxr-lens/data';
import { Option } from 'commander';
import type { CommandModule } from '../command.ts';
import { requirePort } from '../demo/port.ts';
import { DEMO_SIZES, type DemoSizeName, demoPaths } from '../demo/science.ts';
import { runDemo } from '../demo/services.ts';
import { interruptSignal } from '../output.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function demo(port: number, size: DemoSizeName): Promise<void> {
  const signal = interruptSignal();
  await requirePort(port);
  const home = cxrHome();
  try {
    mkdirSync(home, { recursive: true });
  } catch (cause) {
    throw new CxrError('UNAVAILABLE', `${home} cannot be made: choose another folder with CXR_HOME=/path npm run demo.`, { cause });
  }
  await runDemo({ env: { ...process.env, CXR_HOME: home }, port, paths: demoPaths(home), size, signal, say });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new CxrError('BAD_INPUT', `"${text}" is no port: expected a whole number from 1 to 65535, for example PORT=4100 npm run demo.`);
  }
  return port;
}

export const command: CommandModule = {
  configure(program) {
    program
      .addOption(new Option('--port <number>', 'port of 127.0.0.1 for pages and API').env('PORT').default('4000'))
      .addOption(
        new Option('--size <name>', 'small: a few images and epochs, nothing is learned, for the test of starting and killing')
          .choices(DEMO_SIZES)
          .default('whole')
          .hideHelp(),
      )
      .action((options: { port: string; size: DemoSizeName }) => demo(portNumber(options.port), options.size));
  },
};
