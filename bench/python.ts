import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { runToEnd } from './process.ts';

/** A Python with the packages of one peer. */
export interface Python {
  program: string;
  env: Record<string, string>;
}

const MINUTE = 60_000;

/**
 * Python with the packages of `peers/<peer>-requirements.txt`, which pip puts into the user's cache once; pip's own settings hold (an
 * index with PyTorch for CPUs alone saves 5 GB). CxrError UNAVAILABLE says why a peer cannot be had.
 */
export async function pythonWith(peer: string, say: (text: string) => void): Promise<Python> {
  const requirements = path.join(import.meta.dirname, 'peers', `${peer}-requirements.txt`);
  const program = 'python3';
  const { code, output } = await runToEnd([program, '-m', 'pip', '--version'], { limitMs: MINUTE });
  if (code !== 0) throw new CxrError('UNAVAILABLE', "Python's pip is missing; install it (Debian, Ubuntu: apt-get install python3-pip).");
  // pip tells its own version, its place, and Python's.
  const key = createHash('sha256').update(output).update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const cache = path.join(process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'cxr-lens');
  const packages = path.join(cache, `bench-${peer}-${key}`);
  if (!existsSync(packages)) {
    say(`installing the packages of peers/${peer}-requirements.txt, once`);
    await install(program, { requirements, packages });
  }
  // One thread compiles: workers of their own would outlive a compilation that is stopped.
  return {
    program,
    env: { PYTHONPATH: packages, PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1', TORCHINDUCTOR_COMPILE_THREADS: '1' },
  };
}

async function install(program: string, { requirements, packages }: { requirements: string; packages: string }): Promise<void> {
  const temporary = `${packages}.${process.pid}`;
  const command = ['-m', 'pip', 'install', '--quiet', '--target', temporary, '--only-binary=:all:', '-r', requirements];
  const env = { PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore' };
  try {
    const { code, complaint } = await runToEnd([program, ...command], { env, limitMs: 60 * MINUTE });
    if (code !== 0) throw new CxrError('UNAVAILABLE', `pip could not install ${path.basename(requirements)}: ${complaint}`);
    renameSync(temporary, packages);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
