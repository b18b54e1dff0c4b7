import { existsSync } from 'node:fs';
import path from 'node:path';
import { stderr } from 'node:process';
import { CxrError } from '@cxr-lens/data';
import {
  type Epoch,
  explodedNote,
  lossText,
  METHOD_NAMES,
  METHODS,
  PRESET_NAMES,
  parseMethod,
  parsePreset,
  parseSettings,
  type Run,
  type TrainOptions,
  TrainOptionsSchema,
} from '@cxr-lens/model/spec';
import type { CommandModule } from '../command.ts';
import { interruptSignal, printResult, stderrProgress } from '../output.ts';

interface Options {
  data: string;
  out: string;
  preset: string;
  from?: string;
  epsilon?: string;
  seed?: string;
  name?: string;
  set: string[];
  resume?: true;
  json?: true;
}

async function train(method: string, options: Options): Promise<void> {
  const request = {
    method: parseMethod(method),
    preset: parsePreset(options.preset),
    data: options.data,
    out: options.out,
    options: settings(options),
    from: options.from,
    name: options.name,
    resume: options.resume,
  };
  if (options.resume && !existsSync(path.join(options.out, 'run.json'))) {
    throw new CxrError('NOT_FOUND', `${options.out} holds no run to resume; leave out --resume to start one.`);
  }
  const signal = interruptSignal();
  const { trainRun } = await import('@cxr-lens/model');
  const run = await trainRun({
    ...request,
    signal,
    onProgress: stderrProgress(),
    onEpoch: (epoch) => void stderr.write(`${epochLine(epoch)}\n`),
  });
  printResult(options, run, summary(run, options.out));
}

/** `--set`, and the two options that have a flag of their own; a value given in both ways is refused. */
function settings({ set, epsilon, seed }: Options): Partial<TrainOptions> {
  const flags = Object.entries({ epsilon, seed }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return parseSettings([...flags, ...set]) as Partial<TrainOptions>;
}

/** What happened in an epoch, on one line. */
export function epochLine({ epoch, trainLoss, validationLoss, perturbedValidationLoss, probe, validationAuc, seconds }: Epoch): string {
  const perturbed = perturbedValidationLoss === null ? '' : `, half perturbed ${lossText(perturbedValidationLoss)}`;
  const losses = `training loss ${lossText(trainLoss)}, validation loss ${lossText(validationLoss)}`;
  const auc = validationAuc === null ? '' : `, AUC ${validationAuc.toFixed(4)}`;
  const warning = probe?.overfitted ? '; CATASTROPHIC OVERFITTING: the training attack misses most of what a strong one finds' : '';
  return `epoch ${epoch}: ${losses}${perturbed}${auc}, ${seconds.toFixed(1)} s${warning}`;
}

function summary(run: Run, out: string): string {
  const best = run.epochs[run.bestEpoch! - 1]!;
  const exploded = explodedNote(run);
  return [
    `${METHODS[run.method].label} (${run.preset}) finished after ${run.epochs.length} epochs; the weights of epoch ${best.epoch} were kept.`,
    epochLine(best),
    ...(exploded === null ? [] : [`WARNING: ${exploded}`]),
    `Run folder: ${out} (weights ${run.weightsSha256!.slice(0, 12)})`,
  ].join('\n');
}

function optionHelp(): string {
  const rows = Object.entries(TrainOptionsSchema.shape).map(
    ([name, schema]) => `  ${name.padEnd(20)}${String(schema.def.defaultValue).padEnd(8)}${schema.description}`,
  );
  return `\nOptions of --set, with their defaults:\n${rows.join('\n')}`;
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('<method>', METHOD_NAMES.join(', '))
      .requiredOption('--data <file>', 'prepared file (cxr-lens prepare)')
      .requiredOption('--out <run>', 'run folder to write')
      .option('--preset <name>', `size of the network: ${PRESET_NAMES.join(' or ')}`, 'paper')
      .option(
        '--from <run>',
        'folder whose weights it starts from (robust: a finished baseline; other methods with a perturbation: a finished run of their own; else imported weights)',
      )
      .option('--epsilon <number>', 'size of the perturbation in pixels of [0, 1] (robust, or --set perturbation=...)')
      .option('--seed <number>', 'of weights, order and perturbation')
      .option('--name <text>', "what people call the run; default: the folder's name")
      .option('--set <name=value>', 'any training option; may be repeated', (value: string, before: string[]) => [...before, value], [])
      .option('--resume', 'go on with an interrupted run')
      .option('--json', 'print run.json')
      .addHelpText('after', optionHelp())
      .action(train);
  },
};
