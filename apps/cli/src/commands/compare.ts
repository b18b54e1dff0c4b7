import { renderComparison } from '@cxr-lens/eval';
import type { CommandModule } from '../command.ts';
import { compareStored } from '../compare/compare.ts';
import { printResult } from '../output.ts';

async function compare(runs: string[], options: { data?: string; json?: true }): Promise<void> {
  const compared = await compareStored({ runs, data: options.data });
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
        '\nDifferences are paired, image by image, with intervals over patients and p-values adjusted over the pathologies (Holm).',
      )
      .action(compare);
  },
};
