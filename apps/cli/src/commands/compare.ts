import { renderComparison } from '@cxr-lens/eval';
import type { CommandModule } from '../command.ts';
import { compareStored } from '../compare/compare.ts';
import { printResult, stderrProgress } from '../output.ts';

async function compare(runs: string[], options: { data?: string; json?: true }): Promise<void> {
  const compared = await compareStored({ runs, data: options.data, onProgress: stderrProgress() });
  const { dataSet, protocol, seed, resamples, comparisons } = compared;
  printResult(options, { dataSet, protocol, seed, resamples, comparisons }, renderComparison(compared));
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('<run...>', 'evaluated run folders; the first is what the others are compared with')
      .option(
        '--data <file>',
        'the prepared file they were evaluated on, which AUCs need for labels and patients; or the name of that evaluation',
      )
      .option('--json', 'print every comparison as JSON')
      .addHelpText(
        'after',
        '\nDifferences are paired, image by image, with intervals over patients. "Higher" and "lower" stand by a p-value that is adjusted over the pathologies of one pair of runs (Holm), with its Monte Carlo error; the evaluations need not have one seed.',
      )
      .action(compare);
  },
};
