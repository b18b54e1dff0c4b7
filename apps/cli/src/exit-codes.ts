import { CxrError } from '@cxr-lens/data';
import { CommanderError } from 'commander';

/** How every command ends; docs/cli.md and `--help` show the same table. */
export const EXIT = {
  done: { code: 0, means: 'done' },
  internal: { code: 1, means: 'a fault of the program; the message and its stack are on stderr' },
  badInput: { code: 2, means: 'refused: bad options or files, nothing found, no space, already there; the message says what to do' },
  partly: { code: 3, means: 'done but for some images, runs or parts, which are named' },
  interrupted: { code: 130, means: 'stopped by Ctrl-C or SIGTERM; what is done is kept, and the same command goes on there' },
} as const satisfies Record<string, { code: number; means: string }>;

/** The code of a command that threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done.code : EXIT.badInput.code;
  if (!(error instanceof CxrError) || error.code === 'INTERNAL') return EXIT.internal.code;
  return error.code === 'CANCELLED' ? EXIT.interrupted.code : EXIT.badInput.code;
}

/** The table as `--help` prints it. */
export function exitCodeHelp(): string {
  const rows = Object.values(EXIT).map(({ code, means }) => `  ${String(code).padEnd(4)} ${means}`);
  return `\nExit codes:\n${rows.join('\n')}`;
}
