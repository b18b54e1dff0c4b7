import { type PrepareResult, prepare } from '@cxr-lens/data';
import type { Command } from 'commander';
import type { CommandModule } from '../command.ts';
import { wholeNumber } from '../numbers.ts';
import { interruptSignal, printResult, stderrProgress } from '../output.ts';

const EXIT_PARTLY_DONE = 3;
const SHOWN_BAD = 20;

interface Options {
  out: string;
  size: string;
  images?: string;
  seed: string;
  json?: boolean;
}

export const command: CommandModule = {
  configure(program: Command): void {
    program
      .argument('<dir>', "a folder in NIH ChestX-ray14's format, as phantom writes it; archives may be missing, images resized")
      .requiredOption('--out <file>', 'the prepared data file to write')
      .option('--size <pixels>', 'width and height of the prepared images', '224')
      .option('--images <folder>', 'the folder of images to use, below <dir>, where several hold the same ones')
      .option('--seed <number>', 'of the 90/10 split of train_val by patient', '0')
      .option('--json', 'one JSON document on stdout')
      .action(run);
  },
};

async function run(folder: string, options: Options): Promise<void> {
  const { out, images } = options;
  const result = await prepare({
    folder,
    out,
    size: wholeNumber('--size', options.size),
    seed: wholeNumber('--seed', options.seed),
    ...(images !== undefined && { images }),
    onProgress: stderrProgress(),
    signal: interruptSignal(),
  });
  printResult(options, result, describe(result));
  if (result.bad.length > 0) process.exitCode = EXIT_PARTLY_DONE;
}

function describe(result: PrepareResult): string {
  const { counts, statistics, bad } = result;
  const lines = [
    `${result.path}: ${result.images} ${result.synthetic ? 'synthetic images' : 'images'} (${counts.train} training, ${counts.validation} validation, ${counts.test} test), ${result.boxes} boxes`,
    `listed ${result.listed}, not here ${result.missing}, unreadable ${bad.length}`,
    `training pixels: mean ${statistics.mean.toFixed(4)}, standard deviation ${statistics.std.toFixed(4)}`,
    `dataset ${result.datasetHash}`,
    `split   ${result.splitHash}`,
    ...result.warnings.map((warning) => `note: ${warning}`),
    ...bad.slice(0, SHOWN_BAD).map(({ name, reason }) => `left out ${name}: ${reason}`),
  ];
  if (bad.length > SHOWN_BAD) lines.push(`... and ${bad.length - SHOWN_BAD} more; --json lists all`);
  return lines.join('\n');
}
