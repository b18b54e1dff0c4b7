import { readFileSync } from 'node:fs';
import { stderr, stdout } from 'node:process';
import { type OnProgress, onParentEnd } from '@cxr-lens/data';

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

const LOOK_FOR_STARTER_MS = 1000;

/**
 * Aborted by Ctrl-C, SIGTERM or the end of whoever started this process, so that a command can stop at a safe point and be resumed.
 * To be called before anything is awaited.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
  onParentEnd(stop);
  if (process.env['npm_command'] && !process.connected) watchNpm(stop);
  return controller.signal;
}

/** npm and npx start a shell that starts this process: a killed npm leaves both behind, the shell with another parent. */
function watchNpm(stop: () => void): void {
  const startedBy = starters();
  const watch = setInterval(() => {
    if (starters() === startedBy) return;
    clearInterval(watch);
    stop();
  }, LOOK_FOR_STARTER_MS).unref();
}

/** The process that started this one, and the one that started that. */
function starters(): string {
  try {
    return `${process.ppid} ${readFileSync(`/proc/${process.ppid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')[1]}`;
  } catch {
    return 'gone';
  }
}
