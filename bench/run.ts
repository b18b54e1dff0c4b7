/**
 * Measures CXR Lens and what a researcher would use instead, in turn, on the same weights and images, and writes docs/performance.md.
 *
 *   npx tsx bench/run.ts [--only train,predict,...] [--quick] [--engine cpu|gpu]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { CxrError } from '@cxr-lens/data';
import { PART_NAMES, type PartName, SCRIPTS, SECTIONS, type Subject } from './cases.ts';
import { withPart } from './document.ts';
import { describe, thisMachine } from './machine.ts';
import { measureScript, measureSection, tsx } from './measure.ts';
import { runToEnd } from './process.ts';

const USAGE = `Usage: npx tsx bench/run.ts [options]

Measures CXR Lens and its peers (PyTorch, OpenVINO, onnxruntime; scikit-learn for the evaluation) in turn on this machine, checks that
they compute the same, and writes the ratios into docs/performance.md. Exit code 1: some outputs disagree. Wants a quiet machine.

  --only <names>   some parts, with commas: ${PART_NAMES.join(', ')}
  --quick          small batches, one run, to see that everything works; docs/performance.md stays as it is
  --engine <name>  cpu (default), or gpu: CXR Lens and PyTorch on the GPU, printed alone
`;

const DOCUMENT = path.resolve(import.meta.dirname, '../docs/performance.md');
const MINUTE = 60_000;

const say = (text: string): void => void stderr.write(`bench: ${text}\n`);

async function main(): Promise<number> {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: { only: { type: 'string' }, engine: { type: 'string', default: 'cpu' }, quick: flag, help: flag },
  });
  if (values.help) {
    stdout.write(USAGE);
    return 0;
  }
  const gpu = await isGpu(values.engine);
  const names = values.only?.split(',') ?? PART_NAMES.filter((name) => !gpu || !isScript(name));
  const unknown = names.find((name) => !PART_NAMES.includes(name as PartName));
  if (unknown !== undefined) throw new CxrError('BAD_INPUT', `--only ${unknown}: no such part; they are ${PART_NAMES.join(', ')}.`);

  const machine = thisMachine();
  say(describe(machine));
  const wanted = ({ peer, precision, gpuOnly }: Subject): boolean =>
    gpu ? peer === null || peer === 'torch' : !gpuOnly && (machine.bf16 || precision === 'float32');
  const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-bench-'));
  let agree = true;
  try {
    for (const name of names as PartName[]) {
      const part = isScript(name)
        ? await measureScript(SCRIPTS[name].script, say)
        : await measureSection(SECTIONS[name], { folder: await exported(folder, name), quick: values.quick, gpu, wanted, say });
      agree &&= part.agree;
      const command = `npx tsx bench/run.ts --only ${name}`;
      const where = `${describe(machine)}; \`${command}\`, ${new Date().toISOString().slice(0, 10)}.`;
      const left = part.leftOut.length === 0 ? [] : [`Left out: ${part.leftOut.join('; ')}.`];
      const text = [where, ...part.text, ...left].join('\n\n');
      stdout.write(`## ${isScript(name) ? SCRIPTS[name].title : SECTIONS[name].title}\n\n${text}\n\n`);
      // After each part, so that a stop loses only the one under way.
      if (!values.quick && !gpu) writeFileSync(DOCUMENT, withPart(readFileSync(DOCUMENT, 'utf8'), name, text));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return agree ? 0 : 1;
}

/** CxrError BAD_INPUT for another engine's name, UNAVAILABLE where TensorFlow has no GPU. */
async function isGpu(engine: string): Promise<boolean> {
  if (engine === 'cpu') return false;
  if (engine !== 'gpu') throw new CxrError('BAD_INPUT', `--engine ${engine}: no such engine; expected cpu or gpu.`);
  const { benchEngine } = await import('@cxr-lens/model/bench');
  const { device, says } = benchEngine();
  if (device === 'GPU') return true;
  throw new CxrError('UNAVAILABLE', `--engine gpu: ${says}. \`npm run setup\` takes the CUDA library where it finds an NVIDIA GPU.`);
}

function isScript(name: string): name is keyof typeof SCRIPTS {
  return name in SCRIPTS;
}

/** The folder with weights, ONNX files and images of the section's networks. */
async function exported(folder: string, name: keyof typeof SECTIONS): Promise<string> {
  const networks = new Set(SECTIONS[name].cases.map(({ network }) => network));
  const { code, complaint } = await runToEnd(tsx('export.ts', [folder, ...networks]), { limitMs: 5 * MINUTE });
  if (code !== 0) throw new CxrError('UNAVAILABLE', `The networks could not be written: ${complaint}`);
  return folder;
}

process.exitCode = await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  return 2;
});
