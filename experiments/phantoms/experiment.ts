import { stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { cxrLens } from '../cli.ts';

/** Runs a command of cxr-lens; throws where it ends with another exit code than 0. */
export async function must(args: readonly string[]): Promise<void> {
  const code = await cxrLens(args, 'ignore');
  if (code !== 0) throw new Error(`It ended with exit code ${code}; the same command goes on from here.`);
}

/** Makes what is missing in the folder that `--out` names, then prints the table of it. */
export async function experiment(name: string, { make, table }: { make: (out: string) => Promise<void>; table: (out: string) => string }) {
  process.on('SIGINT', () => {});
  try {
    const { out } = parseArgs({ options: { out: { type: 'string', default: name } } }).values;
    await make(out);
    stdout.write(`${table(out)}\n`);
  } catch (error) {
    stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
