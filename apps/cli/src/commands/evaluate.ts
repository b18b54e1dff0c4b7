import { CxrError } from '@cxr-lens/data';
import type { Evaluation } from '@cxr-lens/model';
import type { CommandModule } from '../command.ts';
import { wholeNumber } from '../numbers.ts';
import { interruptSignal, printResult, stderrProgress } from '../output.ts';

interface Options {
  data: string;
  seed: string;
  resamples: string;
  protocol: string;
  json?: true;
}

/** The protocols there are; the eval package names them in every file. */
const PROTOCOLS = ['paper'];

async function evaluate(runs: string[], options: Options): Promise<void> {
  if (!PROTOCOLS.includes(options.protocol)) {
    throw new CxrError('BAD_INPUT', `"${options.protocol}" is no protocol; the protocols are ${PROTOCOLS.join(', ')}.`);
  }
  const seed = wholeNumber('--seed', options.seed);
  const resamples = wholeNumber('--resamples', options.resamples);
  const signal = interruptSignal();
  const onProgress = stderrProgress();
  const { evaluateRun, writeReport } = await import('@cxr-lens/model');
  const evaluations: Evaluation[] = [];
  for (const run of runs) evaluations.push(await evaluateRun({ run, data: options.data, seed, resamples, onProgress, signal }));
  const markdown = await writeReport(evaluations, { data: options.data, onProgress, signal });
  const value = { evaluations: evaluations.map(({ folder, auc, localization }) => ({ folder, auc, localization: localization.run })) };
  printResult(options, value, `${markdown}\nWritten to ${evaluations.map(({ folder }) => folder).join(', ')}`);
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('<run...>', 'finished run folders')
      .requiredOption('--data <file>', 'prepared file; its test images are scored')
      .option('--protocol <name>', 'how localisation is measured', 'paper')
      .option('--seed <number>', 'of folds, bootstrap and controls', '0')
      .option('--resamples <number>', 'bootstrap resamples of patients', '2000')
      .option('--json', 'print AUC and localisation as JSON')
      .action(evaluate);
  },
};
