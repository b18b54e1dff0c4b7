import { spawn } from 'node:child_process';
import { environment, root } from './environment.mjs';

/** A sentence for the user: what is wrong and what to do. Ends the script without a stack trace. */
export class Refusal extends Error {}

/** Runs one program in the checkout, its output shown as it comes; resolves to its exit code. */
export function run(program, args, { env = {}, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const output = [];
    const child = spawn(program, args, { cwd: root, env: environment(env), stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' });
    if (quiet) for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (quiet && code !== 0) process.stderr.write(Buffer.concat(output));
      resolve(signal ? 128 : (code ?? 1));
    });
  });
}

/** As `run`, but a failure ends the script with `remedy`. */
export async function must(what, remedy, program, args, options) {
  const code = await run(program, args, options);
  if (code !== 0) throw new Refusal(`${what} failed (exit code ${code}). ${remedy}`);
}

/** Runs a script's main function: a refusal is one sentence on stderr and exit code 1. */
export async function script(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
