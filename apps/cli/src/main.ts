import { CxrError } from '@cxr-lens/data';
import { Command, CommanderError } from 'commander';
import type { CommandModule } from './command.ts';
import { EXIT, exitCodeHelp, exitCodeOf } from './exit-codes.ts';
import { closeHome } from './private.ts';

type Loader = () => Promise<{ command: CommandModule }>;

const COMMANDS: Record<string, { summary: string; load: Loader }> = {
  train: { summary: 'trains one method into a run folder; stops and resumes at any step', load: () => import('./commands/train.ts') },
  sweep: { summary: 'trains one Robust run per epsilon from a Baseline (Fig. 4); resumable', load: () => import('./commands/sweep.ts') },
  evaluate: { summary: 'AUC and localisation accuracy of runs, with report and figures', load: () => import('./commands/evaluate.ts') },
  compare: { summary: 'paired differences between evaluated runs, in numbers and words', load: () => import('./commands/compare.ts') },
  explain: { summary: 'logits, probabilities, CAM and saliency of images', load: () => import('./commands/explain.ts') },
  import: { summary: "torchvision's weights, ImageNet's or a chest X-ray network's", load: () => import('./commands/import.ts') },
  export: { summary: 'a network as safetensors, TensorFlow SavedModel or ONNX', load: () => import('./commands/export.ts') },
  runs: { summary: 'lists run folders', load: () => import('./commands/runs.ts') },
  register: { summary: 'puts run folders and prepared files into the database', load: () => import('./commands/register.ts') },
  serve: { summary: 'the API: GraphQL, uploads, pictures', load: () => import('./commands/serve.ts') },
  worker: {
    summary: 'takes training, evaluation and explanation jobs; any number on any number of machines',
    load: () => import('./commands/worker.ts'),
  },
  doctor: { summary: 'what engine, database and storage there is, and what is wrong', load: () => import('./commands/doctor.ts') },
  backup: { summary: 'copies database, objects and runs into a folder, while everything runs', load: () => import('./commands/backup.ts') },
  restore: { summary: 'puts a backup into an empty CXR_HOME', load: () => import('./commands/restore.ts') },
  demo: {
    summary: 'everything on this machine: synthetic images, both methods, database, API, worker, dashboard',
    load: () => import('./commands/demo.ts'),
  },
  bench: {
    summary: 'speed and memory beside PyTorch, OpenVINO and onnxruntime on this machine; writes docs/performance.md',
    load: () => import('./commands/bench.ts'),
  },
  phantom: { summary: 'write synthetic radiographs with known truth, in NIH format', load: () => import('./commands/phantom.ts') },
  prepare: { summary: 'decode a folder in NIH format once, into one packed file', load: () => import('./commands/prepare.ts') },
  metrics: { summary: "AUC and localisation accuracy of anybody's scores and maps", load: () => import('./commands/metrics.ts') },
};

/** Runs `cxr-lens` with the arguments after the program's name; resolves to the exit code. Bad input never shows a stack trace. */
export async function main(args: readonly string[]): Promise<number> {
  closeHome(args);
  const program = new Command('cxr-lens').description('Chest X-ray classifiers whose explanations are measured.').exitOverride();
  program.addHelpText('after', exitCodeHelp());
  for (const [name, { summary }] of Object.entries(COMMANDS)) program.command(name).description(summary).exitOverride();
  const asked = COMMANDS[args[0] ?? ''];
  try {
    if (asked) {
      const { command } = await asked.load();
      const sub = program.commands.find((candidate) => candidate.name() === args[0])!;
      command.configure(sub);
    }
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? EXIT.done.code);
  } catch (error) {
    report(error);
    return exitCodeOf(error);
  }
}

/** Commander has said what is wrong with the options; a stack is shown only of what nobody expected. */
function report(error: unknown): void {
  if (error instanceof CommanderError) return;
  if (error instanceof CxrError) process.stderr.write(`${error.code}: ${error.message}\n`);
  else process.stderr.write(`INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
