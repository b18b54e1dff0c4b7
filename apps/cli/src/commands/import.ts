import { METHODS, methodsOnImported, parseTorchvisionNetwork, TORCHVISION_NETWORKS } from '@cxr-lens/model/spec';
import type { CommandModule } from '../command.ts';
import { printResult } from '../output.ts';

interface Options {
  network: string;
  out: string;
  name?: string;
  json?: true;
}

async function importFrom(file: string, { name, out, ...options }: Options): Promise<void> {
  const network = parseTorchvisionNetwork(options.network);
  const { importWeights } = await import('@cxr-lens/model');
  const { imported, run } = importWeights({ file, network, out, name });
  const head = run
    ? `${network} with a head of the 14 findings: ${out} is a run of ${METHODS[run.method].label}, to be evaluated and explained.`
    : `${network} without its head, which is not of the 14 findings: ${out} is a start for trainings, no run.`;
  const text = [
    head,
    `Trainings of ${methodsOnImported(network).join(', ')} can start from it: --from ${out} (weights ${imported.weightsSha256.slice(0, 12)}).`,
  ];
  printResult(options, { imported, run }, text.join('\n'));
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('<file>', "safetensors file of torchvision's network, which scripts/to-safetensors.py makes of a .pth")
      .requiredOption('--network <name>', TORCHVISION_NETWORKS.join(', '))
      .requiredOption('--out <folder>', 'folder to write; a run folder where the weights have a head of the 14 findings')
      .option('--name <text>', "what people call the run; default: the folder's name")
      .option('--json', 'print what was imported')
      .addHelpText('after', '\ndocs/import.md leads from a .pth to an explained film, and says what trainings take over.')
      .action(importFrom);
  },
};
