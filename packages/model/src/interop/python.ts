import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { cacheHome } from '../engine/cache.ts';
import { findProgram, runProgram } from '../engine/program.ts';

const REFERENCE = path.join(import.meta.dirname, '../../reference');

/** Runs a script of packages/model/reference with the packages of its requirements; gives what it printed. */
export type RunScript = (script: string, args: readonly string[]) => Promise<string>;

/**
 * Python with the packages of a requirements file of packages/model/reference, which pip puts into the user's cache once.
 * Where that is not possible (no pip, no network) the test is skipped with the reason, or fails where `CXR_REQUIRE` names `python`.
 */
export async function pythonOrSkip(ctx: { skip(note?: string): never }, requirements: string): Promise<RunScript> {
  try {
    return await python(path.join(REFERENCE, requirements));
  } catch (error) {
    if (!(error instanceof CxrError)) throw error;
    const required = (process.env['CXR_REQUIRE'] ?? '').split(',').map((word) => word.trim());
    if (required.includes('python')) throw new Error(`python: ${error.message} CXR_REQUIRE demands it.`, { cause: error });
    return ctx.skip(`python: ${error.message}`);
  }
}

async function python(requirements: string): Promise<RunScript> {
  const program = await findProgram(['python3', 'python'], ['-m', 'pip', '--version']);
  if (!program) throw new CxrError('UNAVAILABLE', "Python's pip is missing; install it (Debian, Ubuntu: apt-get install python3-pip).");
  let version = '';
  const remember = (text: string) => {
    version += text;
  };
  const what = 'Asking for the version of Python';
  await runProgram([program, '--version'], { what, remedy: 'Install Python again.', onOutput: remember });
  const key = createHash('sha256').update(version).update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const packages = path.join(cacheHome(), `python-${key}`);
  if (!existsSync(packages)) await install(program, { requirements, packages });
  return async (script, args) => {
    let printed = '';
    const onOutput = (text: string) => {
      printed += text;
    };
    const env = { PYTHONPATH: packages, PYTHONWARNINGS: 'ignore' };
    await runProgram([program, path.join(REFERENCE, script), ...args], { what: script, remedy: 'See its header.', env, onOutput });
    return printed;
  };
}

async function install(program: string, { requirements, packages }: { requirements: string; packages: string }): Promise<void> {
  const temporary = `${packages}.${process.pid}`;
  const command = ['-m', 'pip', 'install', '--quiet', '--target', temporary, '--only-binary=:all:', '-r', requirements];
  const env = { PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore' };
  try {
    const remedy = 'Is the Python package index reachable?';
    await runProgram([program, ...command], { what: `Installing ${path.basename(requirements)}`, remedy, env });
    renameSync(temporary, packages);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
