import { stderr } from 'node:process';
import { type PrepareResult, prepare } from '@cxr-lens/data';
import { PRESETS } from '@cxr-lens/model/spec';
import type { Command } from 'commander';
import type { CommandModule } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { wholeNumber } from '../numbers.ts';
import { interruptSignal, printResult, stderrProgress } from '../output.ts';

const SHOWN_BAD = 20;

interface Options {
  out: string;
  size: string;
  images?: string;
  table?: string;
  boxes?: string;
  trainValList?: string;
  testList?: string;
  bits?: string;
  seed: string;
  json?: boolean;
}

export const command: CommandModule = {
  configure(program: Command): void {
    program
      .argument('<dir>', "a folder in NIH ChestX-ray14's format, as phantom writes it; archives may be missing, images resized")
      .requiredOption('--out <file>', 'the prepared data file to write')
      .option('--size <pixels>', `width and height of the prepared images; ${presetSizes()}`, '224')
      .option('--images <folder>', 'the folder of images to use, below <dir>, where several hold the same ones')
      .option('--table <file>', "the table, below <dir>; default: NIH's name, v2020 first")
      .option('--boxes <file>', "the box list, below <dir>; default: NIH's name")
      .option('--train-val-list <file>', "the list of training and validation images, below <dir>; default: NIH's name")
      .option('--test-list <file>', "the list of test images, below <dir>; default: NIH's name")
      .option('--bits <number>', 'bits in use of 16-bit images, 8 to 16; default: sBIT, else the fewest that hold the greatest value')
      .option('--seed <number>', 'of the 90/10 split of train_val by patient', '0')
      .option('--json', 'one JSON document on stdout')
      .action(run);
  },
};

async function run(folder: string, options: Options): Promise<void> {
  const { out, images, table, boxes, trainValList, testList } = options;
  const size = wholeNumber('--size', options.size);
  const sizeNotes = unusedSize(size);
  // At once: decoding all of NIH takes an hour.
  for (const note of sizeNotes) stderr.write(`note: ${note}\n`);
  const prepared = await prepare({
    folder,
    out,
    size,
    files: { ...(table && { table }), ...(boxes && { boxes }), ...(trainValList && { trainValList }), ...(testList && { testList }) },
    ...(options.bits !== undefined && { bits: wholeNumber('--bits', options.bits) }),
    seed: wholeNumber('--seed', options.seed),
    ...(images !== undefined && { images }),
    onProgress: stderrProgress(),
    signal: interruptSignal(),
  });
  const result = { ...prepared, warnings: [...sizeNotes, ...prepared.warnings] };
  printResult(options, result, describe(result));
  if (result.bad.length > 0) process.exitCode = EXIT.partly.code;
}

function presetSizes(): string {
  return Object.values(PRESETS)
    .map(({ name, inputSize }) => `preset ${name} takes ${inputSize}`)
    .join(', ');
}

function unusedSize(size: number): string[] {
  if (Object.values(PRESETS).some(({ inputSize }) => inputSize === size)) return [];
  return [`No preset trains on ${size} x ${size}: ${presetSizes()}.`];
}

const ROLE_LABELS = { table: 'table', trainValList: 'train list', testList: 'test list', boxes: 'boxes' } as const satisfies Record<
  PrepareResult['files'][number]['role'],
  string
>;

function describeBits({ bits }: PrepareResult): string[] {
  if (!bits) return [];
  const { source, greatest, images } = bits;
  const why = {
    option: 'by --bits',
    sbit: 'by their sBIT chunks',
    guess: 'the fewest of 8, 10, 12, 14 and 16 that hold it',
  }[source];
  return [`16-bit images ${images}: ${bits.bits} bits in use, ${why}; greatest value ${greatest.value} in ${greatest.name}`];
}

function describeExtensions({ otherExtension: { count, example } }: PrepareResult): string[] {
  if (!example) return [];
  return [`read from a file of another name, as the listed one is absent: ${count} images (for ${example.listed} ${example.file})`];
}

function describe(result: PrepareResult): string {
  const { counts, statistics, bad } = result;
  const lines = [
    `${result.path}: ${result.images} ${result.synthetic ? 'synthetic images' : 'images'} (${counts.train} training, ${counts.validation} validation, ${counts.test} test), ${result.boxes} boxes`,
    `listed ${result.listed}, not here ${result.missing}, unreadable ${bad.length}`,
    ...describeExtensions(result),
    ...describeBits(result),
    `training pixels: mean ${statistics.mean.toFixed(4)}, standard deviation ${statistics.std.toFixed(4)}`,
    `dataset ${result.datasetHash}`,
    `split   ${result.splitHash}`,
    ...result.files.map(({ role, name, sha256 }) => `read ${ROLE_LABELS[role].padEnd(10)} ${name}, SHA-256 ${sha256}`),
    ...result.warnings.map((warning) => `note: ${warning}`),
    ...bad.slice(0, SHOWN_BAD).map(({ name, reason }) => `left out ${name}: ${reason}`),
  ];
  if (bad.length > SHOWN_BAD) lines.push(`... and ${bad.length - SHOWN_BAD} more; --json lists all`);
  return lines.join('\n');
}
