import { spawn } from 'node:child_process';

/** What a child printed and how it ended. */
export interface Ended {
  /** 0 when all went well; 128 when it was stopped. */
  code: number;
  /** Standard output. */
  output: string;
  /** The last line that it wrote to standard error, or why it was stopped. */
  complaint: string;
}

/** Runs a program to its end, at most `limitMs`; its standard error is only kept for the complaint. */
export function runToEnd(
  [program, ...args]: readonly [string, ...string[]],
  { env = {}, limitMs }: { env?: Record<string, string>; limitMs: number },
): Promise<Ended> {
  return new Promise((resolve) => {
    let output = '';
    let errors = '';
    // Here Node finds tsx, wherever the bench was started.
    const cwd = import.meta.dirname;
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-10_000);
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limitMs);
    child.once('error', (error) => {
      errors += error.message;
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      const complaint = late ? `took longer than ${limitMs / 60_000} minutes` : lastWords(errors);
      resolve({ code: late ? 128 : (code ?? 128), output, complaint });
    });
  });
}

/** The line that names the error: Python's comes last, Node's before its stack. */
function lastWords(errors: string): string {
  const lines = errors
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const named = lines.findLast((line) => /^[\w.]*(Error|Exception|Warning)\b.*: /.test(line));
  return (named ?? lines.at(-1) ?? 'no output').slice(0, 300);
}

/** The JSON lines among the output's. */
export function jsonLines<T>(output: string): T[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as T);
}
