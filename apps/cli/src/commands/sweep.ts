import { existsSync } from 'node:fs';
import path from 'node:path';
import { stderr } from 'node:process';
import { CxrError } from '@cxr-lens/data';
import {
  parseEpsilons,
  parseSettings,
  type Run,
  SWEEP_EPSILONS,
  sweepOptions,
  type TrainOptionName,
  type TrainOptions,
} from '@cxr-lens/model/spec';
import type { CommandModule } from '../command.ts';
import { interruptSignal, printResult, stderrProgress } from '../output.ts';
import { epochLine } from './train.ts';

interface Options {
  from: string;
  data: string;
  out: string;
  epsilons: string;
  set: string[];
  json?: true;
}

/** Trains the runs one after another; those that are finished are kept, one that was interrupted goes on. */
async function sweep({ from, data, out, epsilons, set, json }: Options): Promise<void> {
  const { readRun } = await import('@cxr-lens/model/run-folder');
  const baseline = readRun(from);
  const folderOf = ({ epsilon }: Pick<TrainOptions, 'epsilon'>): string => path.join(out, `epsilon-${epsilon}`);
  const begunIn = (folder: string): Run | null => (existsSync(path.join(folder, 'run.json')) ? readRun(folder) : null);
  const list = parseEpsilons(epsilons);
  const begun = list.map((epsilon) => begunIn(folderOf({ epsilon }))).find((run) => run !== null);
  // A sweep goes on by the stop rule that it was begun with, which was another one in 0.1.0.
  const each = sweepOptions(list, { ...(begun && { patienceSteps: begun.options.patienceSteps }), ...parseSettings(set) });
  for (const options of each) {
    const folder = folderOf(options);
    const run = begunIn(folder);
    if (run) checkSame(run, { folder, options, baseline });
  }
  const signal = interruptSignal();
  const { trainRun } = await import('@cxr-lens/model');
  const progress = stderrProgress();
  const runs: Run[] = [];
  for (const [index, options] of each.entries()) {
    const what = `Epsilon ${options.epsilon} (${index + 1} of ${each.length})`;
    const run = await trainRun({
      method: 'robust',
      preset: baseline.preset,
      data,
      from,
      out: folderOf(options),
      options,
      name: `${path.basename(path.resolve(out))} ${options.epsilon}`,
      resume: true,
      signal,
      onProgress: (step) => progress({ ...step, what: `${what}: ${step.what}` }),
      onEpoch: (epoch) => void stderr.write(`${what}: ${epochLine(epoch)}\n`),
    });
    stderr.write(`${what}: finished after ${run.epochs.length} epochs\n`);
    runs.push(run);
  }
  printResult({ json }, { folder: path.resolve(out), runs }, summary(runs, out));
}

/** A run that is there already belongs to this sweep: said before hours are spent on the runs before it. */
function checkSame(run: Run, { folder, options, baseline }: { folder: string; options: TrainOptions; baseline: Run }): void {
  const refused = (what: string): CxrError => new CxrError('CONFLICT', `${folder} ${what}: sweep into another folder.`);
  if (run.method !== 'robust') throw refused(`holds a ${run.method} run, not one of a sweep`);
  if (run.parent?.weightsSha256 !== baseline.weightsSha256) throw refused(`was started from another run than ${baseline.id}`);
  const names = Object.keys(options) as TrainOptionName[];
  const differs = names.find((name) => run.options[name] !== options[name]);
  if (differs) throw refused(`was started with ${differs} ${run.options[differs]}, not ${options[differs]}`);
}

function summary(runs: readonly Run[], out: string): string {
  const lines = runs.map((run) => `epsilon ${run.options.epsilon}: ${epochLine(run.epochs[run.bestEpoch! - 1]!)}`);
  return [...lines, `Run folders: ${runs.map(({ id }) => path.join(out, id)).join(' ')}`].join('\n');
}

export const command: CommandModule = {
  configure(program) {
    program
      .requiredOption('--from <run>', 'run folder of the converged Baseline that every run starts from; its preset is theirs')
      .requiredOption('--data <file>', 'prepared file (cxr-lens prepare), the one the Baseline was trained on')
      .requiredOption('--out <folder>', 'folder of the run folders, epsilon-<value> each; called again, the sweep goes on where it was')
      .option('--epsilons <list>', 'sizes of the perturbation in pixels of [0, 1]; 0 trains on unperturbed', SWEEP_EPSILONS.join(','))
      .option(
        '--set <name=value>',
        'any other training option, of all runs; may be repeated',
        (value: string, before: string[]) => [...before, value],
        [],
      )
      .option('--json', 'print every run.json')
      .addHelpText('after', '\nOptions of --set: cxr-lens train --help')
      .action(sweep);
  },
};
