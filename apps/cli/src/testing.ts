import { vi } from 'vitest';
import { main } from './main.ts';

/** Runs a command in this process; what it wrote to stdout and stderr, and its exit code. */
export async function runCli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  process.exitCode = undefined;
  const code = await main(args);
  process.exitCode = undefined;
  for (const spy of spies) spy.mockRestore();
  return { code, ...written };
}
