import { spawn } from 'node:child_process';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { Option } from 'commander';
import type { CommandModule } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptSignal } from '../output.ts';

const RUN = path.resolve(import.meta.dirname, '../../../../bench/run.ts');

interface Options {
  engine: string;
  only?: string;
  quick?: true;
}

/** Runs the bench, in a process of its own, to its end or until Ctrl-C. */
async function bench({ engine, only, quick }: Options): Promise<void> {
  const args = ['--engine', engine, ...(only === undefined ? [] : ['--only', only]), ...(quick ? ['--quick'] : [])];
  const child = spawn(process.execPath, ['--import', 'tsx', RUN, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  const signal = interruptSignal();
  signal.addEventListener('abort', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? EXIT.internal.code));
  });
  if (signal.aborted) throw new CxrError('CANCELLED', 'The bench was stopped; parts that were done are in docs/performance.md.');
}

export const command: CommandModule = {
  configure(program) {
    program
      .addOption(new Option('--engine <name>', 'gpu measures CXR Lens and PyTorch on a GPU').choices(['cpu', 'gpu']).default('cpu'))
      .option('--only <names>', 'some parts, with commas: train, fgsm-train, train-others, predict, explain, evaluation, prepare')
      .option('--quick', 'small batches, one run, to see that everything works')
      .action(bench);
  },
};
