import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { type Flavour, TENSORFLOW_VERSION, WHEELS } from './wheels.ts';

const require = createRequire(import.meta.url);

/** The installed npm package whose binding we compile and whose folders `lib` and `deps` lead into the cache. */
export const TFJS_PACKAGE = path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));

/** The folder of the N-API headers. */
export const NODE_HEADERS = path.join(path.dirname(require.resolve('node-api-headers/package.json')), 'include');

/** Where the binding is looked for, below the package and below a cache folder alike. */
export const BINDING = 'lib/napi-v8/tfjs_binding.node';

/** Loaded before the binding: see its source. */
export const QUIET = 'lib/napi-v8/quiet.node';

export const QUIET_SOURCE = path.join(import.meta.dirname, 'quiet.cc');

// Part of the cache's key: raise it when the way of building changes.
const RECIPE = 2;

const MANIFEST = 'manifest.json';

interface Manifest {
  tensorflow: string;
  flavour: Flavour;
  /** Below the cache folder: size in bytes, time of the last change in ms, SHA-256. */
  files: Record<string, { size: number; mtimeMs: number; sha256: string }>;
}

/** `${XDG_CACHE_HOME:-~/.cache}/cxr-lens`, shared by all clones of a user. */
export function cacheHome(): string {
  return path.join(process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'cxr-lens');
}

/** The cache folder of this flavour: its name holds the hash of all that decides its content (wheels, binding source, recipe). */
export function cacheFolder(flavour: Flavour): string {
  const hash = createHash('sha256').update(String(RECIPE));
  for (const { sha256 } of WHEELS[flavour]) hash.update(sha256);
  hash.update(readFileSync(QUIET_SOURCE));
  const sources = path.join(TFJS_PACKAGE, 'binding');
  for (const name of readdirSync(sources).sort()) hash.update(name).update(readFileSync(path.join(sources, name)));
  return path.join(cacheHome(), `tensorflow-${TENSORFLOW_VERSION}-${flavour}-${hash.digest('hex').slice(0, 12)}`);
}

/** Records size, time and SHA-256 of what is in the folder; written last, it makes the folder a complete one. */
export function writeManifest(folder: string, flavour: Flavour): void {
  const files: Manifest['files'] = {};
  for (const name of libraries(folder)) {
    const { size, mtimeMs } = statSync(path.join(folder, name));
    files[name] = { size, mtimeMs, sha256: sha256(path.join(folder, name)) };
  }
  const manifest: Manifest = { tensorflow: TENSORFLOW_VERSION, flavour, files };
  writeFileSync(path.join(folder, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
}

/**
 * The files that are not as they were installed; the folder itself where it has no manifest. Looks at size and time of the last
 * change, and at the SHA-256 only of a file whose time differs; of every file when `full` is set.
 */
export function changedFiles(folder: string, options: { full: boolean }): string[] {
  const manifest = readManifest(folder);
  if (!manifest) return [folder];
  return Object.entries(manifest.files)
    .filter(([name, installed]) => {
      const file = path.join(folder, name);
      const now = statSync(file, { throwIfNoEntry: false });
      if (now?.size !== installed.size) return true;
      return (options.full || now.mtimeMs !== installed.mtimeMs) && sha256(file) !== installed.sha256;
    })
    .map(([name]) => path.join(folder, name));
}

/**
 * The engine that node_modules leads to, checked before it is loaded.
 * CxrError UNAVAILABLE when there is none, CORRUPT when a library is not the installed one.
 */
export function installedEngine(options: { full: boolean } = { full: false }): { folder: string; flavour: Flavour } {
  const folder = linkedEngine();
  if (folder === null) throw notThere();
  const [changed] = changedFiles(folder, options);
  if (changed !== undefined) {
    const remedy = `delete ${folder} and run \`npm run setup\``;
    throw new CxrError('CORRUPT', `The TensorFlow library ${changed} is not the one that was installed: ${remedy}.`);
  }
  return { folder, flavour: readManifest(folder)?.flavour ?? 'cpu' };
}

/** The cache folder that node_modules leads to; null where there is none that this account may read. */
export function linkedEngine(): string | null {
  const binding = path.join(TFJS_PACKAGE, BINDING);
  return existsSync(binding) ? path.resolve(realpathSync(binding), '../../..') : null;
}

function notThere(): CxrError {
  const link = path.join(TFJS_PACKAGE, 'lib');
  try {
    statSync(path.join(TFJS_PACKAGE, BINDING));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      return new CxrError(
        'UNAVAILABLE',
        `TensorFlow is set up in ${path.dirname(readlinkSync(link))}, which this account may not read: run \`npm run setup\` with XDG_CACHE_HOME set to a folder that all accounts may read.`,
      );
  }
  return new CxrError('UNAVAILABLE', `TensorFlow is not set up (${BINDING} is missing): run \`npm run setup\`.`);
}

function readManifest(folder: string): Manifest | null {
  const file = path.join(folder, MANIFEST);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : null;
}

function libraries(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.so(\.\d+)*$|\.node$/.test(name)).sort();
}

function sha256(file: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1 << 22);
  const descriptor = openSync(file, 'r');
  try {
    for (let bytes = readSync(descriptor, buffer); bytes > 0; bytes = readSync(descriptor, buffer)) hash.update(buffer.subarray(0, bytes));
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}
