import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { CxrError, type OnProgress, type Progress } from '@cxr-lens/data';
import { buildEngine, findTools } from './build.ts';
import { cacheFolder, cacheHome, changedFiles, linkedEngine, TFJS_PACKAGE, writeManifest } from './cache.ts';
import { withLock } from './lock.ts';
import { chooseFlavour, type Flavour } from './wheels.ts';

// The wheel, pip's copy of it and the unpacked libraries exist at the same time.
const NEEDED_GIB: Record<Flavour, number> = { cpu: 2, cuda: 14 };

/**
 * Puts the library of a current TensorFlow under TF.js: fetches the wheel by its hash, compiles the binding, keeps both in the
 * user's cache, and links them into node_modules. Does nothing where this was done before, by any clone. Whatever is killed
 * half-way is left out of use: the cache folder appears by one rename.
 * @returns the cache folder.
 * Throws CxrError UNSUPPORTED (not Linux x64 with glibc 2.27), UNAVAILABLE (no pip, compiler, network or room), each with its remedy.
 */
export async function installEngine(onProgress: OnProgress = () => {}): Promise<string> {
  checkPlatform();
  const flavour = chooseFlavour();
  const folder = cacheFolder(flavour);
  // In the cache of the account that installed this copy: another one may not be able to change where node_modules leads.
  const linked = linkedEngine();
  if (linked && !writable(TFJS_PACKAGE) && path.basename(linked) === path.basename(folder)) return linked;
  if (changedFiles(folder, { full: false }).length > 0) await fillCache(folder, flavour, onProgress);
  for (const name of ['deps', 'lib']) link(path.join(folder, name), path.join(TFJS_PACKAGE, name));
  return folder;
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function checkPlatform(): void {
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  const glibc = report.header.glibcVersionRuntime;
  const [major = 0, minor = 0] = (glibc ?? '0').split('.').map(Number);
  if (process.platform === 'linux' && process.arch === 'x64' && (major > 2 || (major === 2 && minor >= 27))) return;
  const here = `${process.platform} ${process.arch}${glibc ? ` with glibc ${glibc}` : ''}`;
  throw new CxrError('UNSUPPORTED', `TensorFlow needs Linux x64 with glibc 2.27 or newer; this machine is ${here}.`);
}

async function fillCache(folder: string, flavour: Flavour, onProgress: OnProgress): Promise<void> {
  const tools = await findTools();
  try {
    mkdirSync(cacheHome(), { recursive: true });
    accessSync(cacheHome(), constants.W_OK);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CxrError(
      'UNAVAILABLE',
      `The cache folder ${cacheHome()} cannot be written (${why}): set XDG_CACHE_HOME to a folder that can be written.`,
      {
        cause,
      },
    );
  }
  const wait = () => onProgress({ what: 'Waiting for another process that is setting up TensorFlow', done: 0, total: 1 });
  await withLock(path.join(cacheHome(), `.${path.basename(folder)}.lock`), wait, async () => {
    if (changedFiles(folder, { full: false }).length === 0) return;
    // Only the holder of the lock builds: other folders of this name were left by processes that were killed. Its own bears its
    // process id, because a killed set-up's pip or compiler may live on and write into theirs.
    const prefix = `.building-${path.basename(folder)}-`;
    const temporary = path.join(cacheHome(), `${prefix}${process.pid}`);
    for (const name of readdirSync(cacheHome())) {
      if (name.startsWith(prefix)) rmSync(path.join(cacheHome(), name), { recursive: true, force: true, maxRetries: 3 });
    }
    checkRoom(flavour);
    try {
      await buildEngine(temporary, flavour, { ...tools, onProgress });
      writeManifest(temporary, flavour);
      rmSync(folder, { recursive: true, force: true });
      renameSync(temporary, folder);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });
}

function checkRoom(flavour: Flavour): void {
  const { bavail, bsize } = statfsSync(cacheHome());
  const free = (bavail * bsize) / 2 ** 30;
  if (free >= NEEDED_GIB[flavour]) return;
  const message = `TensorFlow's set-up needs ${NEEDED_GIB[flavour]} GiB in ${cacheHome()}, ${free.toFixed(1)} GiB are free`;
  throw new CxrError('UNAVAILABLE', `${message}: make room, or set XDG_CACHE_HOME to another disk.`);
}

function link(target: string, at: string): void {
  const there = lstatSync(at, { throwIfNoEntry: false });
  if (there?.isSymbolicLink() && readlinkSync(at) === target) return;
  if (there && !there.isSymbolicLink()) rmSync(at, { recursive: true });
  const temporary = `${at}.${process.pid}`;
  symlinkSync(target, temporary);
  renameSync(temporary, at);
}

/** One line a task and a tenth of it, on stderr: short enough for a log, often enough for a person. */
function reporter(): OnProgress {
  let last = '';
  return ({ what, done, total }: Progress) => {
    const tenth = Math.floor((10 * done) / total);
    const text = `${what}${total > 1 ? ` (${(total / 1e6).toFixed(0)} MB): ${tenth * 10} %` : done < total ? ' ...' : ': done'}`;
    if (text !== last) process.stderr.write(`${text}\n`);
    last = text;
  };
}

if (process.argv[1] === import.meta.filename) {
  try {
    await installEngine(reporter());
  } catch (error) {
    if (!(error instanceof CxrError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
