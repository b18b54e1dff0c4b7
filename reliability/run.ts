import { writeFileSync } from 'node:fs';
import { stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { table } from './trial.ts';
import { runTrials, TRIAL_NAMES } from './trials.ts';

const USAGE = `Usage: npm run reliability -- [options]

Tries to make CXR Lens lose what it acknowledged, or stop, in a CXR_HOME of its own. Ends with 1 where a bound is broken.

  --full              100 crash rounds, 500 uploads, 10 minutes of soak (default: 5, 50, 20 s)
  --rounds <number>   crash rounds
  --only <names>      comma list of ${TRIAL_NAMES.join(', ')}
  --out <file>        write the table as JSON
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    stdout.write(USAGE);
    return 0;
  }
  const names = values.only?.split(',') ?? TRIAL_NAMES;
  const unknown = names.find((name) => !TRIAL_NAMES.includes(name));
  if (unknown !== undefined) {
    stderr.write(`"${unknown}" is no trial; they are ${TRIAL_NAMES.join(', ')}.\n`);
    return 2;
  }
  const rounds = Number(values.rounds ?? (values.full ? 100 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) {
    stderr.write(`--rounds is "${values.rounds}"; expected a whole number from 1.\n`);
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const conditions = { full: values.full, rounds, signal: stop.signal, say: (line: string): void => void stderr.write(`${line}\n`) };
  try {
    const { outcomes, skipped } = await runTrials(names, conditions);
    stdout.write(`${table(outcomes)}\n${skipped.map((reason) => `skipped: ${reason}\n`).join('')}`);
    if (values.out)
      writeFileSync(values.out, `${JSON.stringify({ date: new Date().toISOString(), full: values.full, outcomes, skipped }, null, 2)}\n`);
    return outcomes.some(({ broken }) => broken.length > 0) ? 1 : 0;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    stderr.write('Stopped.\n');
    return 130;
  }
}

process.exitCode = await main();
