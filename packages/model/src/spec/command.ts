import { defaultOptions, optionsOf } from './options.ts';
import type { Run } from './run.ts';

/** The command line that trains this run again; options only where they are not the defaults, FILE and the parent's folder to be filled in. */
export function trainCommand(run: Run): string {
  const defaults = defaultOptions(run.method);
  const changed = optionsOf(run.method, run.options).filter((name) => name !== 'seed' && run.options[name] !== defaults[name]);
  const settings = changed.map((name) => (name === 'epsilon' ? `--epsilon ${run.options.epsilon}` : `--set ${name}=${run.options[name]}`));
  const from = run.parent ? [`--from ${run.parent.id}`] : [];
  const start = ['cxr-lens train', run.method, '--data FILE', `--out ${run.id}`, `--preset ${run.preset}`];
  return [...start, ...from, `--seed ${run.seed}`, ...settings].join(' ');
}
