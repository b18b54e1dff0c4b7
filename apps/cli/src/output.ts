import { stderr, stdout } from 'node:process';
import type { OnProgress } from '@cxr-lens/data';

/** Prints the one result of a command to stdout: `text` for people, `value` as one JSON document with `--json`. */
export function printResult(options: { json?: boolean | undefined }, value: unknown, text: string): void {
  stdout.write(options.json ? `${JSON.stringify(value)}\n` : `${text}\n`);
}

/** Progress on stderr: one line rewritten in place on a terminal, one line every five seconds elsewhere. */
export function stderrProgress(): OnProgress {
  let last = 0;
  let lastWhat = '';
  return ({ what, done, total }) => {
    const now = Date.now();
    const finished = done >= total;
    if (!finished && what === lastWhat && now - last < (stderr.isTTY ? 100 : 5000)) return;
    last = now;
    lastWhat = what;
    const percent = total > 0 ? Math.floor((100 * done) / total) : 0;
    stderr.write(
      stderr.isTTY
        ? `\r\u001b[2K${what}: ${done}/${total} (${percent} %)${finished ? '\n' : ''}`
        : `${what}: ${done}/${total} (${percent} %)\n`,
    );
  };
}

/** Aborted by Ctrl-C, SIGTERM or the end of the process that started this one, so that a command can stop at a safe point and be resumed. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  if (process.connected) process.once('disconnect', () => controller.abort());
  return controller.signal;
}
