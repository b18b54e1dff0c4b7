import { stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { fuzz, TARGET_NAMES } from './fuzz.ts';

const USAGE = `Usage: npm run fuzz -- [options]

Gives what reads others' files and requests mutated ones. Whatever is neither accepted nor refused with an error of ours is kept and printed;
then it ends with 1. The same seed makes the same inputs.

  --count <number>    inputs a target (default: 1000)
  --seed <number>     default 0
  --only <names>      comma list of ${TARGET_NAMES.join(', ')}
  --failures <dir>    where such inputs are kept (default: fuzz-failures)
`;

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  stderr.write(`--${name} is "${text}"; expected a whole number.\n`);
  process.exit(2);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '0' },
      only: { type: 'string' },
      failures: { type: 'string', default: 'fuzz-failures' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    stdout.write(USAGE);
    return 0;
  }
  const targets = values.only?.split(',') ?? TARGET_NAMES;
  const unknown = targets.find((name) => !TARGET_NAMES.includes(name));
  if (unknown !== undefined) {
    stderr.write(`"${unknown}" is no target; they are ${TARGET_NAMES.join(', ')}.\n`);
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const [count, seed] = [wholeNumber(values.count, 'count'), wholeNumber(values.seed, 'seed')];
  try {
    const say = (line: string): void => void stderr.write(`${line}\n`);
    const counts = await fuzz({ count, seed, targets, failures: values.failures, signal: stop.signal, say });
    const rows = counts.map(
      (one) => `| ${one.target} | ${one.accepted} | ${one.refused} | ${one.faults.length} | ${one.seconds.toFixed(0)} |`,
    );
    stdout.write(`| target | accepted | refused | faults | seconds |\n|---|---|---|---|---|\n${rows.join('\n')}\n`);
    for (const { target, faults } of counts) for (const fault of faults) stdout.write(`${target}: ${fault}\n`);
    return counts.some(({ faults }) => faults.length > 0) ? 1 : 0;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    stderr.write('Stopped.\n');
    return 130;
  }
}

process.exitCode = await main();
