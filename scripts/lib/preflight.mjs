import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { root } from './environment.mjs';
import { Refusal } from './run.mjs';

const GIB = 2 ** 30;
// node_modules takes 1.7 GB, TensorFlow's wheel and libraries 1.2 GB while being unpacked, the demo's data and runs under 1 GB.
const INSTALL_BYTES = 2.5 * GIB;
const ENGINE_BYTES = 2 * GIB;

function older(version, wanted) {
  const [a, b] = [version, wanted].map((text) => text.split('.').map(Number));
  return a[0] < b[0] || (a[0] === b[0] && (a[1] ?? 0) < (b[1] ?? 0));
}

function hasEngine() {
  const folder = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'cxr-lens');
  if (existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('tensorflow-'))) return true;
  // Another account has set this copy up.
  return existsSync(path.join(root, 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node'));
}

const answers = (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** Names everything that is missing on this machine, before anything is downloaded. Throws a Refusal with a sentence and remedy for each. */
export function preflight() {
  if (older(process.versions.node, '20.19'))
    throw new Refusal(`Node ${process.versions.node} is too old: CXR Lens starts on Node 20.19 or newer.`);
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  if (process.platform !== 'linux' || process.arch !== 'x64' || !glibc || older(glibc, '2.27')) {
    const here = `${process.platform} ${process.arch}${glibc ? ` with glibc ${glibc}` : ''}`;
    throw new Refusal(`CXR Lens runs on Linux x64 with glibc 2.27 or newer; this machine is ${here}.`);
  }
  const missing = [];
  let bytes = existsSync(path.join(root, 'node_modules')) ? GIB / 2 : INSTALL_BYTES;
  if (!hasEngine()) {
    bytes += ENGINE_BYTES;
    if (!answers('python3', '-m', 'pip', '--version')) {
      missing.push(
        "Python's pip is missing, which fetches the TensorFlow library: install it (Debian, Ubuntu: apt-get install python3-pip).",
      );
    }
    if (!['g++', 'clang++', 'c++'].some((compiler) => answers(compiler, '--version'))) {
      missing.push('A C++ compiler is missing, which builds the TensorFlow binding: install one (Debian, Ubuntu: apt-get install g++).');
    }
  }
  const disk = statfsSync(root);
  const free = disk.bavail * disk.bsize;
  if (free < bytes) {
    missing.push(
      `Only ${(free / GIB).toFixed(1)} GiB are free under ${root}, ${(bytes / GIB).toFixed(1)} GiB are needed: make room and run this again.`,
    );
  }
  if (missing.length > 0) throw new Refusal(missing.join('\n'));
}
