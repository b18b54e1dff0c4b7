import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stderr } from 'node:process';
import {
  CxrError,
  type ErrorCode,
  encodeRgbPng,
  FINDINGS,
  type Finding,
  findingLabel,
  outlineBox,
  overlayCam,
  parseFinding,
  writeNpy,
} from '@cxr-lens/data';
import { scaleTo255, upsampleBilinear } from '@cxr-lens/eval';
import type { BitsRead, FindingExplanation, ImageExplanation, LoadedRun, PlainMap } from '@cxr-lens/model';
import type { CommandModule } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptSignal, printResult, stderrProgress } from '../output.ts';

/** Errors that the next image would meet as well. */
const STOPS: readonly ErrorCode[] = ['CANCELLED', 'UNAVAILABLE'];

interface Options {
  out: string;
  finding: string[];
  json?: true;
}

/** A finding as `--json` prints it: numbers, and the paths of the arrays. */
type Written = Omit<FindingExplanation, 'cam' | 'saliency' | 'strip'> & { cam: string; saliency: string; overlay: string; strip?: string };

interface WrittenImage extends Pick<ImageExplanation, 'bits' | 'preprocessingVersion'> {
  image: string;
  run: string;
  findings: Partial<Record<Finding, Written>>;
}

async function explain(run: string, files: string[], options: Options): Promise<void> {
  const findings = options.finding.length > 0 ? options.finding.map(parseFinding) : FINDINGS;
  const named = stems(files);
  const signal = interruptSignal();
  const onProgress = stderrProgress();
  const { explainImages, loadRun } = await import('@cxr-lens/model');
  const loaded = loadRun(run);
  const images: WrittenImage[] = [];
  const failed: { image: string; code: string; message: string }[] = [];
  makeFolder(options.out);
  for (const [index, [stem, file]] of [...named].entries()) {
    try {
      const explained = await explainFile(explainImages, loaded, { file, findings, signal });
      const { bits, preprocessingVersion } = explained;
      const written = await writeInto(options.out, stem, explained);
      images.push({ image: file, run: loaded.run.id, bits, preprocessingVersion, findings: written });
    } catch (error) {
      if (!(error instanceof CxrError) || STOPS.includes(error.code) || files.length === 1) throw error;
      failed.push({ image: file, code: error.code, message: error.message });
      stderr.write(`${error.code}: ${error.message}\n`);
    }
    onProgress({ what: 'Explaining images', done: index + 1, total: named.size });
  }
  loaded.dispose();
  if (images.length === 0) throw new CxrError('BAD_INPUT', `None of the ${files.length} images could be read.`);
  if (failed.length > 0) process.exitCode = EXIT.partly.code;
  printResult(options, { images, ...(failed.length > 0 ? { failed } : {}) }, images.map((image) => text(image)).join('\n\n'));
}

/** Files by the name that their results get; two files of one name would overwrite each other's. */
function stems(files: readonly string[]): Map<string, string> {
  const named = new Map<string, string>();
  for (const file of files) {
    const stem = path.parse(file).name;
    if (named.has(stem))
      throw new CxrError('BAD_INPUT', `${named.get(stem)} and ${file} would write the same files; explain them into two folders.`);
    named.set(stem, file);
  }
  return named;
}

async function explainFile(
  explainImages: typeof import('@cxr-lens/model').explainImages,
  loaded: LoadedRun,
  { file, findings, signal }: { file: string; findings: readonly Finding[]; signal: AbortSignal },
): Promise<ImageExplanation> {
  const [explained] = await explainImages(loaded, { images: [{ bytes: read(file), where: file }], findings, signal });
  return explained!;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new CxrError('UNAVAILABLE', `${folder} cannot be written (${(error as NodeJS.ErrnoException).code}): choose another --out.`);
  }
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CxrError(
      code === 'ENOENT' ? 'NOT_FOUND' : 'BAD_INPUT',
      `${file} cannot be read (${code}); expected a PNG, JPEG or DICOM file.`,
    );
  }
}

/** UNAVAILABLE when the disk is full or the folder cannot be written. */
async function writeInto(folder: string, stem: string, explained: ImageExplanation): Promise<Partial<Record<Finding, Written>>> {
  try {
    return await write(explained, path.join(folder, stem));
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (cause instanceof CxrError || !syscall) throw cause;
    const reason = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : `it cannot be written (${code})`;
    throw new CxrError('UNAVAILABLE', `${folder}: ${reason}. Make room or choose another --out; what is complete is kept.`, { cause });
  }
}

async function write({ image, findings }: ImageExplanation, stem: string): Promise<Partial<Record<Finding, Written>>> {
  const written: Partial<Record<Finding, Written>> = {};
  for (const [finding, { cam, saliency, strip, ...numbers }] of Object.entries(findings) as [Finding, FindingExplanation][]) {
    const paths = {
      cam: `${stem}.${finding}.cam.npy`,
      saliency: `${stem}.${finding}.saliency.npy`,
      overlay: `${stem}.${finding}.overlay.png`,
    };
    await writeNpy(paths.cam, cam.values, [cam.height, cam.width]);
    await writeNpy(paths.saliency, saliency.values, [saliency.height, saliency.width]);
    const map = scaleTo255(upsampleBilinear(cam.values, cam.height, cam.width, image.height, image.width));
    const overlay = overlayCam(image, { map });
    if (numbers.box) outlineBox(overlay, numbers.box);
    await writeFile(paths.overlay, await encodeRgbPng(overlay));
    written[finding] = { ...numbers, ...paths, ...(strip ? { strip: await writeStrip(`${stem}.${finding}.strip.npy`, strip) } : {}) };
  }
  return written;
}

/** Images of one size as one array: [N, height, width]. */
async function writeStrip(file: string, strip: NonNullable<FindingExplanation['strip']>): Promise<string> {
  const [{ height, width }] = strip as [PlainMap];
  const values = new Float32Array(strip.length * height * width);
  for (const [index, one] of strip.entries()) values.set(one.values, index * height * width);
  await writeNpy(file, values, [strip.length, height, width]);
  return file;
}

function text({ image, run, bits, findings }: WrittenImage): string {
  const rows = Object.entries(findings).map(([finding, { logit, probability, probabilityReason, operatingPoint, decision, overlay }]) => {
    const said =
      probability === null
        ? `no probability (${probabilityReason})`
        : `probability ${probability.toFixed(3)}, operating point ${operatingPoint!.toFixed(3)}: ${decision ? 'positive' : 'negative'}`;
    return `  ${findingLabel(finding as Finding).padEnd(20)}logit ${logit.toFixed(3).padStart(7)}, ${said}; ${overlay}`;
  });
  return [`${image} by ${run}`, ...(bits ? [`  ${bitsText(bits)}`] : []), ...rows].join('\n');
}

function bitsText({ bits, source, greatest, card }: BitsRead): string {
  const why = {
    card: "as the run's training data",
    sbit: 'by its sBIT chunk',
    guess: 'the fewest of 8, 10, 12, 14 and 16 that hold it',
  }[source];
  // A card's number may be too great for this file, as nothing else says that its pixels are dark.
  const dark = source === 'card' && greatest <= (2 ** bits - 1) / 16 ? ': near black, at most 1/16 of white' : '';
  const unlikeCard = source !== 'card' && card !== null ? `, which the ${card} bits of the run's card do not hold` : '';
  return `16-bit image: ${bits} bits in use, ${why}; greatest value ${greatest}${dark}${unlikeCard}`;
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('<run>', 'finished run folder')
      .argument('<image...>', 'PNG, JPEG or DICOM files')
      .requiredOption('--out <dir>', 'folder for the arrays (.npy) and overlays (.png)')
      .option('--finding <name>', 'only this finding; may be repeated', (value: string, before: string[]) => [...before, value], [])
      .option('--json', 'print the numbers and paths as JSON')
      .action(explain);
  },
};
