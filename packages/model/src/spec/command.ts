import { saidOptions } from './options.ts';
import type { Run } from './run.ts';

/** The command line that makes this run again; options only where they are not the defaults, FILE and the parent's folder to be filled in. */
export function trainCommand(run: Run): string {
  if (run.data === null) return `cxr-lens import FILE --network ${run.network} --out ${run.id}`;
  const changed = saidOptions(run.method, run.options).filter((name) => name !== 'seed');
  const settings = changed.map((name) => (name === 'epsilon' ? `--epsilon ${run.options.epsilon}` : `--set ${name}=${run.options[name]}`));
  const start = run.parent ?? run.imported;
  const from = start ? [`--from ${start.id}`] : [];
  const words = ['cxr-lens train', run.method, '--data FILE', `--out ${run.id}`, `--preset ${run.preset}`];
  return [...words, ...from, `--seed ${run.seed}`, ...settings].join(' ');
}
