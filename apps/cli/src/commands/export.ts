import { EXPORT_FORMATS, METHODS, parseExportFormat } from '@cxr-lens/model/spec';
import type { CommandModule } from '../command.ts';
import { printResult } from '../output.ts';

interface Options {
  format: string;
  out: string;
  json?: true;
}

async function exportTo(folder: string, options: Options): Promise<void> {
  const format = parseExportFormat(options.format);
  const { exportRun } = await import('@cxr-lens/model');
  const { id, method } = exportRun(folder, { format, out: options.out });
  printResult(options, { run: id, format, out: options.out }, `${METHODS[method].label} of run ${id} as ${format}: ${options.out}`);
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('<run>', 'run folder of a finished run')
      .requiredOption('--format <name>', EXPORT_FORMATS.join(', '))
      .requiredOption('--out <path>', 'file to write; a folder for savedmodel')
      .option('--json', 'print what was written where')
      .addHelpText(
        'after',
        '\nonnx and savedmodel take `image`, [N, S, S, 1] grey in [0, 1], and give `logits` and `features`.\n' +
          "safetensors has torchvision's names for densenet121 and resnet50, our own for the other networks.\nResearch use only, not for diagnosis.",
      )
      .action(exportTo);
  },
};
