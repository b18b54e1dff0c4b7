import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError, type OnProgress } from '@cxr-lens/data';
import { BINDING, NODE_HEADERS, QUIET, QUIET_SOURCE, TFJS_PACKAGE } from './cache.ts';
import { findProgram, runProgram } from './program.ts';
import { type Flavour, WHEELS, type Wheel } from './wheels.ts';

/** What building needs of the machine. CxrError UNAVAILABLE names what is missing, with its remedy. */
export async function findTools(): Promise<{ python: string; compiler: string }> {
  const python = await findProgram(['python3', 'python'], ['-m', 'pip', '--version']);
  if (!python) {
    const remedy = 'install it (Debian, Ubuntu: apt-get install python3-pip)';
    throw new CxrError('UNAVAILABLE', `Python's pip is missing, which fetches the TensorFlow library: ${remedy}.`);
  }
  const compiler = await findProgram(['g++', 'clang++', 'c++'], ['--version']);
  if (!compiler) {
    const remedy = 'install one (Debian, Ubuntu: apt-get install g++)';
    throw new CxrError('UNAVAILABLE', `A C++ compiler is missing, which builds the TensorFlow binding: ${remedy}.`);
  }
  return { python, compiler };
}

/** Makes `folder` (with `lib/` and `deps/` as TF.js's package has them) from the wheels of the flavour. */
export async function buildEngine(
  folder: string,
  flavour: Flavour,
  options: { python: string; compiler: string; onProgress: OnProgress },
): Promise<void> {
  const { python, compiler, onProgress } = options;
  const unpacked = path.join(folder, 'unpacked');
  for (const wheel of WHEELS[flavour]) {
    const file = await download(python, wheel, { folder: path.join(folder, 'download'), onProgress });
    await unpack(python, file, { out: unpacked, members: wheel.members });
    rmSync(file);
  }
  rmSync(path.join(folder, 'download'), { recursive: true });

  onProgress({ what: 'Compiling the binding to TensorFlow', done: 0, total: 1 });
  const libraries = path.join(folder, 'deps/lib');
  mkdirSync(libraries, { recursive: true });
  const names = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
  for (const name of names) renameSync(path.join(unpacked, 'tensorflow', name), path.join(libraries, name));
  // The CUDA library looks for NVIDIA's in ../nvidia/*/lib beside its own folder.
  if (flavour === 'cuda') renameSync(path.join(unpacked, 'nvidia'), path.join(folder, 'deps/nvidia'));
  // Symbols nobody needs: 220 MB of the CPU library. Without binutils they stay.
  await findProgram(['strip'], ['--strip-unneeded', ...names.map((name) => path.join(libraries, name))]);
  await compile(compiler, folder, path.join(unpacked, 'tensorflow/include'));
  rmSync(unpacked, { recursive: true });
  onProgress({ what: 'Compiling the binding to TensorFlow', done: 1, total: 1 });
}

/** Fetches one wheel through pip, which checks its SHA-256; returns the file. */
async function download(python: string, wheel: Wheel, { folder, onProgress }: { folder: string; onProgress: OnProgress }): Promise<string> {
  const temporary = path.join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const requirements = path.join(folder, 'requirements.txt');
  writeFileSync(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const what = `Downloading ${wheel.name} ${wheel.version}`;
  let total = 0;
  let done = 0;
  // pip says "Downloading tensorflow_cpu-....whl (274.1 MB)".
  const onOutput = (text: string) => {
    const found = /\.whl \(([\d.]+) (kB|MB|GB)\)/.exec(text);
    if (found) total = Math.round(Number(found[1]) * { kB: 1e3, MB: 1e6, GB: 1e9 }[found[2] as 'kB' | 'MB' | 'GB']);
  };
  const report = () => {
    done = Math.max(done, Math.min(size(temporary), total));
    if (total > 0) onProgress({ what, done, total });
  };
  const platforms = ['manylinux_2_27_x86_64', 'manylinux2014_x86_64', 'manylinux_2_17_x86_64', 'manylinux2010_x86_64'];
  const timer = setInterval(report, 1_000);
  try {
    const pip = ['-m', 'pip', 'download', '--no-deps', '--require-hashes', '--only-binary=:all:', '--python-version', '3.13'];
    const command = [...pip, ...platforms.flatMap((name) => ['--platform', name]), '--dest', folder, '-r', requirements];
    const remedy = 'Is the Python package index reachable? Run the command again: nothing is lost.';
    // pip's own temporary files go where they are counted, and removed with the rest.
    const env = { TMPDIR: temporary, PYTHONUNBUFFERED: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_PROGRESS_BAR: 'off' };
    await runProgram([python, ...command], { what, remedy, env, onOutput });
  } finally {
    clearInterval(timer);
  }
  const file = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (!file) throw new CxrError('UNAVAILABLE', `${what}: pip ended without an error and without a file.`);
  if (total > 0) onProgress({ what, done: total, total });
  return path.join(folder, file);
}

const UNPACK = `
import os, sys, zipfile
wheel, out, *members = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for info in archive.infolist():
        if info.filename.startswith(tuple(members)) and not info.is_dir():
            os.chmod(archive.extract(info, out), (info.external_attr >> 16) & 0o777 | 0o644)
`;

async function unpack(python: string, wheel: string, { out, members }: { out: string; members: readonly string[] }): Promise<void> {
  await runProgram([python, '-c', UNPACK, wheel, out, ...members], { what: 'Unpacking TensorFlow', remedy: 'Run the command again.' });
}

async function compile(compiler: string, folder: string, include: string): Promise<void> {
  const remedy = "Is the compiler's C++ standard library installed (Debian, Ubuntu: apt-get install g++)?";
  const flags = ['-O2', '-std=c++17', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-w', `-I${include}`, `-I${NODE_HEADERS}`];
  const sources = ['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc'].map((name) => path.join(TFJS_PACKAGE, name));
  const libraries = [`-L${path.join(folder, 'deps/lib')}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'];
  mkdirSync(path.dirname(path.join(folder, BINDING)), { recursive: true });
  // Never unloaded, and TensorFlow with it: it leaves an exit handler behind, into which a process whose engine's thread has ended would crash.
  const linking = ['-Wl,-rpath,$ORIGIN/../../deps/lib', '-Wl,-z,nodelete'];
  const binding = [...sources, '-o', path.join(folder, BINDING), ...libraries, ...linking];
  const quiet = [QUIET_SOURCE, '-o', path.join(folder, QUIET), '-ldl'];
  for (const output of [quiet, binding]) {
    await runProgram([compiler, ...flags, ...output], { what: 'Compiling the TensorFlow binding', remedy });
  }
}

/** Bytes below a folder that another process fills and empties meanwhile. */
function size(folder: string): number {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return names.reduce((bytes, name) => bytes + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
  } catch {
    return 0;
  }
}
