import { spawn } from 'node:child_process';
import { CxrError } from '@cxr-lens/data';

/** Runs a program to its end; throws CxrError UNAVAILABLE with `what`, the last lines of its output, and `remedy` when it fails. */
export async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  options: { what: string; remedy: string; env?: Record<string, string>; onOutput?: (text: string) => void },
): Promise<void> {
  const { code, output } = await execute(program, args, options);
  if (code === 0) return;
  const last = output.trim().split('\n').slice(-3).join(' / ');
  throw new CxrError('UNAVAILABLE', `${options.what} failed (${program}, exit code ${code}): ${last || 'no output'}. ${options.remedy}`);
}

/** The first of the programs that answers `args` with exit code 0, or null. */
export async function findProgram(programs: readonly string[], args: readonly string[]): Promise<string | null> {
  for (const program of programs) if ((await execute(program, args)).code === 0) return program;
  return null;
}

function execute(
  program: string,
  args: readonly string[],
  options: { env?: Record<string, string>; onOutput?: (text: string) => void } = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        options.onOutput?.(text);
      });
    }
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 128, output }));
  });
}
