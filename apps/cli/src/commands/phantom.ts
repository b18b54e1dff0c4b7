import { CxrError, writePhantom } from '@cxr-lens/data';
import type { CommandModule } from '../command.ts';
import { wholeNumber } from '../numbers.ts';
import { interruptSignal, printResult, stderrProgress } from '../output.ts';

interface Flags {
  images: string;
  seed: string;
  size: string;
  prevalence: string;
  shortcuts?: string;
  labelNoise: string;
  json?: boolean;
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('<dir>', 'a new or empty folder; one that an interrupted run left is completed')
      .requiredOption('--images <n>', 'how many images')
      .option('--seed <n>', 'the same seed gives the same pixels', '0')
      .option('--size <pixels>', 'width and height, 32 to 1024', '256')
      .option('--prevalence <name>', 'nih: as in ChestX-ray14; enriched: enough of every finding for small sets', 'nih')
      .option('--shortcuts <dials>', 'train=0..1,val=0..1,test=0..1: signs that go with findings without being them')
      .option('--label-noise <share>', 'share of wrong labels, 0 to 0.5', '0')
      .option('--json', 'one JSON document on stdout')
      .action(async (dir: string, flags: Flags) => {
        const result = await writePhantom({
          folder: dir,
          images: wholeNumber('--images', flags.images),
          seed: wholeNumber('--seed', flags.seed),
          size: wholeNumber('--size', flags.size),
          prevalence: prevalenceOf(flags.prevalence),
          shortcuts: dialsOf(flags.shortcuts),
          labelNoise: number('--label-noise', flags.labelNoise),
          onProgress: stderrProgress(),
          signal: interruptSignal(),
        });
        printResult(flags, result, describe(result));
      });
  },
};

function number(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new CxrError('BAD_INPUT', `${flag} is "${text}"; expected a number.`);
}

function prevalenceOf(text: string): 'nih' | 'enriched' {
  if (text === 'nih' || text === 'enriched') return text;
  throw new CxrError('BAD_INPUT', `--prevalence is "${text}"; expected nih or enriched.`);
}

function dialsOf(text: string | undefined): { train?: number; val?: number; test?: number } {
  const dials: { train?: number; val?: number; test?: number } = {};
  for (const part of (text ?? '').split(',').filter((piece) => piece.trim() !== '')) {
    const [name, value = ''] = part.split('=').map((piece) => piece.trim());
    if (name !== 'train' && name !== 'val' && name !== 'test') {
      throw new CxrError('BAD_INPUT', `--shortcuts has "${part}"; expected train=0..1,val=0..1,test=0..1.`);
    }
    dials[name] = number(`--shortcuts ${name}`, value);
  }
  return dials;
}

function describe(result: Awaited<ReturnType<typeof writePhantom>>): string {
  const { train, validation, test } = result.splits;
  const rows = result.findings.map(
    ({ finding, images, testImages, boxedPairs }) =>
      `${finding.padEnd(20)}${String(images).padStart(7)}${String(testImages).padStart(7)}${String(boxedPairs).padStart(7)}`,
  );
  return [
    `${result.images} synthetic images of ${result.patients} patients in ${result.folder}: ${train} training, ${validation} validation, ${test} test` +
      `${result.kept > 0 ? `; ${result.kept} were there already` : ''}.`,
    `${'finding'.padEnd(20)} images   test  boxed`,
    ...rows,
  ].join('\n');
}
