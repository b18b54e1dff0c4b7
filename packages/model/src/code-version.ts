import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../../..');
let known: string | undefined;

/** `0.1.0+1a2b3c4` (package version, commit), with `.changed` when the working tree differs; the version alone outside of a clone. */
export function codeVersion(): string {
  known ??= `${packageVersion()}${commit()}`;
  return known;
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const hash = git('rev-parse', '--short', 'HEAD').trim();
    return `+${hash}${git('status', '--porcelain', '--untracked-files=no').trim() === '' ? '' : '.changed'}`;
  } catch {
    return '';
  }
}
