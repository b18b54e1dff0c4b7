import { spawn } from 'node:child_process';
import type { Account } from './account.ts';

/**
 * Runs one of Postgres' programs under `account`. Its environment is bare, so that no PG* variable of ours changes what it does.
 * Its children inherit the descriptor `held`.
 */
export function run(
  program: string,
  args: readonly string[],
  { account, held }: { account: Account | null; held?: number },
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' };
    const child = spawn(program, args, {
      ...account,
      cwd: '/',
      env,
      stdio: ['ignore', 'pipe', 'pipe', ...(held === undefined ? [] : [held])],
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout!.on('data', collect);
    child.stderr!.on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => resolve({ status: code ?? 1, output: output.trim() }));
  });
}
