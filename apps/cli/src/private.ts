import path from 'node:path';
import { cxrHome, PRIVATE_UMASK } from '@cxr-lens/data';

/** Commands that write below CXR_HOME whatever their arguments are. */
const AT_HOME: ReadonlySet<string | undefined> = new Set(['demo', 'serve', 'worker', 'register', 'doctor', 'backup', 'restore']);

/**
 * Makes this command and what it starts write for this account alone where it works below CXR_HOME. What a person asks for elsewhere has
 * the rights that they are used to.
 */
export function closeHome(args: readonly string[]): void {
  if (AT_HOME.has(args[0]) || args.some(isAtHome)) process.umask(PRIVATE_UMASK);
}

/** A path below CXR_HOME, or an option that gives one: `--out=...`. */
function isAtHome(arg: string): boolean {
  const below = path.relative(cxrHome(), path.resolve(arg.replace(/^--[a-z]+=/, '')));
  return below !== '..' && !below.startsWith(`..${path.sep}`);
}
