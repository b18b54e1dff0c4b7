import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { stderr } from 'node:process';
import { Readable } from 'node:stream';

const BIN = path.resolve(import.meta.dirname, '../apps/cli/bin/cxr-lens.mjs');

/** Runs one command of `cxr-lens` and returns its exit code; Ctrl-C reaches the command, which keeps a checkpoint. */
export function cxrLens(args: readonly string[], stdout: 'inherit' | 'ignore' = 'inherit'): Promise<number> {
  stderr.write(`npx --no cxr-lens ${args.join(' ')}\n`);
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['inherit', stdout, 'inherit'] });
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ? 128 : (code ?? 1))));
}

/** The same command, going on with the run that it left in `--out`, where there is one. */
export function resumed(args: readonly string[]): readonly string[] {
  return args[0] === 'train' && left(args, 'run.json') ? [...args, '--resume'] : args;
}

/** Whether the command's `--out` folder holds that file. */
export function left(args: readonly string[], file: string): boolean {
  const out = args[args.indexOf('--out') + 1];
  return out !== undefined && existsSync(path.join(out, file));
}

/** What a command of `cxr-lens` prints with `--json`; throws where it ends with another exit code than 0. */
export async function cxrLensJson(args: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const text = await new Response(Readable.toWeb(child.stdout) as ReadableStream).text();
  const code = child.exitCode ?? (await new Promise<number | null>((resolve) => child.once('exit', resolve)));
  if (code !== 0) throw new Error(`cxr-lens ${args[0]} ended with exit code ${code}`);
  return JSON.parse(text);
}
