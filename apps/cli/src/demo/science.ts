import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { METHODS } from '@cxr-lens/model/spec';
import { runToEnd, startCommand } from './child.ts';

/** What the demo trains on: enough phantoms, of a size that is drawn in a minute, that every method learns on two cores. */
const IMAGES = 2000;
const DRAWN_SIZE = 192;
const SEED = 1;
const SIZE = 96;
/** The methods of the demo in the order of training, with their caps on epochs. */
const MAX_EPOCHS = { baseline: 8, robust: 3, chexnet: 6, 'nih-star': 7 } as const;
// The validation loss of 150 images is noisy: the default of 3 can end a training in its first epochs.
const PATIENCE = 5;

type DemoMethod = keyof typeof MAX_EPOCHS;

export interface DemoPaths {
  phantom: string;
  prepared: string;
  /** The run folder of every method, in the order of training. */
  runs: Record<DemoMethod, string>;
}

/** Where the demo keeps what it makes, below CXR_HOME. */
export function demoPaths(home: string): DemoPaths {
  const runs = Object.keys(MAX_EPOCHS).map((method) => [method, path.join(home, 'runs', `demo-${method}`)]);
  return {
    phantom: path.join(home, 'data/phantom'),
    prepared: path.join(home, 'data/phantom-96.cxr'),
    runs: Object.fromEntries(runs) as DemoPaths['runs'],
  };
}

function runState(folder: string): string | null {
  const file = path.join(folder, 'run.json');
  if (!existsSync(file)) return null;
  return (JSON.parse(readFileSync(file, 'utf8')) as { state: string }).state;
}

const evaluated = (folder: string): boolean =>
  ['localization.json', 'report.md'].every((file) => existsSync(path.join(folder, 'evaluation/phantom-96', file)));

/** One step of the demo: skipped when its result stands, continued where an interruption left it. */
export interface Step {
  title: string;
  done: () => boolean;
  run: (env: NodeJS.ProcessEnv, signal: AbortSignal) => Promise<void>;
}

const command = (args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> =>
  runToEnd(() => startCommand(args, env), signal);

function trainStep(method: DemoMethod, { prepared, runs }: DemoPaths): Step {
  const folder = runs[method];
  const { label, section, startsFrom } = METHODS[method];
  return {
    title: `Training ${label} (${section})`,
    done: () => runState(folder) === 'finished',
    run: (env, signal) => {
      const args = ['train', method, '--data', prepared, '--out', folder, '--preset', 'small'];
      args.push('--set', `maxEpochs=${MAX_EPOCHS[method]}`, '--set', `patience=${PATIENCE}`);
      if (startsFrom) args.push('--from', runs[startsFrom]);
      if (runState(folder) !== null) args.push('--resume');
      return command(args, env, signal);
    },
  };
}

/** From nothing to evaluated runs, in order. */
export function scienceSteps(paths: DemoPaths): Step[] {
  const { phantom, prepared } = paths;
  const runs = Object.values(paths.runs);
  const drawing = ['--images', String(IMAGES), '--size', String(DRAWN_SIZE), '--seed', String(SEED), '--prevalence', 'enriched'];
  return [
    {
      title: `Drawing ${IMAGES} synthetic radiographs`,
      // The tables are written last.
      done: () => existsSync(prepared) || existsSync(path.join(phantom, 'Data_Entry_2017_v2020.csv')),
      run: (env, signal) => command(['phantom', phantom, ...drawing], env, signal),
    },
    {
      title: 'Preparing them for training',
      done: () => existsSync(prepared),
      run: (env, signal) => command(['prepare', phantom, '--out', prepared, '--size', String(SIZE)], env, signal),
    },
    ...Object.keys(MAX_EPOCHS).map((method) => trainStep(method as DemoMethod, paths)),
    {
      title: 'Measuring all of them: AUC, localisation, controls',
      done: () => runs.every(evaluated),
      run: (env, signal) => command(['evaluate', ...runs, '--data', prepared], env, signal),
    },
  ];
}
