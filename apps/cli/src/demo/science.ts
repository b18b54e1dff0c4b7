import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runToEnd, startCommand } from './child.ts';

/** What the demo trains on: enough phantoms that both methods learn in minutes on two cores. */
const IMAGES = 2400;
const SEED = 1;
const SIZE = 96;
const MAX_EPOCHS = { baseline: 12, robust: 5 } as const;
// The validation loss of 180 images is noisy: the default of 3 can end a training in its first epochs.
const PATIENCE = 5;

export interface DemoPaths {
  phantom: string;
  prepared: string;
  baseline: string;
  robust: string;
}

/** Where the demo keeps what it makes, below CXR_HOME. */
export function demoPaths(home: string): DemoPaths {
  return {
    phantom: path.join(home, 'data/phantom'),
    prepared: path.join(home, 'data/phantom-96.cxr'),
    baseline: path.join(home, 'runs/demo-baseline'),
    robust: path.join(home, 'runs/demo-robust'),
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

function trainStep(method: 'baseline' | 'robust', paths: DemoPaths): Step {
  const folder = paths[method];
  return {
    title: method === 'baseline' ? 'Training Baseline (Eq. 1)' : 'Training Robust from it (Eq. 3, FGSM, epsilon 0.005)',
    done: () => runState(folder) === 'finished',
    run: (env, signal) => {
      const args = ['train', method, '--data', paths.prepared, '--out', folder, '--preset', 'small'];
      args.push('--set', `maxEpochs=${MAX_EPOCHS[method]}`, '--set', `patience=${PATIENCE}`);
      if (method === 'robust') args.push('--from', paths.baseline);
      if (runState(folder) !== null) args.push('--resume');
      return command(args, env, signal);
    },
  };
}

/** From nothing to two evaluated runs, in order. */
export function scienceSteps(paths: DemoPaths): Step[] {
  return [
    {
      title: `Drawing ${IMAGES} synthetic radiographs`,
      // The tables are written last.
      done: () => existsSync(paths.prepared) || existsSync(path.join(paths.phantom, 'Data_Entry_2017_v2020.csv')),
      run: (env, signal) =>
        command(['phantom', paths.phantom, '--images', String(IMAGES), '--seed', String(SEED), '--prevalence', 'enriched'], env, signal),
    },
    {
      title: 'Preparing them for training',
      done: () => existsSync(paths.prepared),
      run: (env, signal) => command(['prepare', paths.phantom, '--out', paths.prepared, '--size', String(SIZE)], env, signal),
    },
    trainStep('baseline', paths),
    trainStep('robust', paths),
    {
      title: 'Measuring both: AUC, localisation, controls',
      done: () => evaluated(paths.baseline) && evaluated(paths.robust),
      run: (env, signal) => command(['evaluate', paths.baseline, paths.robust, '--data', paths.prepared], env, signal),
    },
  ];
}
