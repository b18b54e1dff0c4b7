import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { isRequired, type Skip, skipOrFail } from '@cxr-lens/data/testing';
import { cacheHome } from '../engine/cache.ts';
import { findProgram, runProgram } from '../engine/program.ts';

const REFERENCE = path.join(import.meta.dirname, '../../reference');
const TORCH_REQUIREMENTS = path.join(import.meta.dirname, '../../../../bench/peers/torch-requirements.txt');

/** Runs a script, by its path or its name in packages/model/reference, with the packages of its requirements; gives what it printed. */
export type RunScript = (script: string, args: readonly string[]) => Promise<string>;

/**
 * Python with the packages of a requirements file of packages/model/reference, which pip puts into the user's cache once.
 * Where that is not possible (no pip, no network) the test is skipped with the reason, or fails where `CXR_REQUIRE` names `python`.
 */
export async function pythonOrSkip(ctx: Skip, requirements: string): Promise<RunScript> {
  try {
    return await python(path.join(REFERENCE, requirements));
  } catch (error) {
    if (error instanceof CxrError) return skipOrFail(ctx, 'python', error.message);
    throw error;
  }
}

/**
 * Python with PyTorch and torchvision: the first on the PATH where it can import both. Else the test is skipped with the reason; where
 * `CXR_REQUIRE` names `torch`, pip puts the versions of the bench into the user's cache once (3 GB).
 */
export async function torchOrSkip(ctx: Skip): Promise<RunScript> {
  const program = await findProgram(['python3', 'python'], ['-c', 'import torch, torchvision']);
  if (program) return runner(program);
  if (!isRequired('torch')) return skipOrFail(ctx, 'torch', 'the Python on the PATH cannot import torch and torchvision');
  return await python(TORCH_REQUIREMENTS);
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
  return runner(program, { PYTHONPATH: packages });
}

function runner(program: string, variables: Record<string, string> = {}): RunScript {
  return async (script, args) => {
    let printed = '';
    const onOutput = (text: string) => {
      printed += text;
    };
    const env = { ...variables, PYTHONWARNINGS: 'ignore' };
    await runProgram([program, path.resolve(REFERENCE, script), ...args], { what: script, remedy: 'See its header.', env, onOutput });
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
