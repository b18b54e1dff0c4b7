import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

// A rename is on the disk once its folder is flushed, and a new folder once the folder above it is: without both, a power cut takes
// files whose own bytes were flushed.

/**
 * Writes the whole file, or leaves the one that was there: a temporary file, flushed, then renamed. Returns once a power cut can no longer
 * take it. Folders that are missing are made. Errors as those of node:fs.
 */
export async function writeDurable(file: string, bytes: Uint8Array | string): Promise<void> {
  const folder = path.dirname(file);
  const temporary = temporaryOf(file);
  await makeFolder(folder);
  try {
    await writeFile(temporary, bytes, { flush: true });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/**
 * `writeDurable` for a file whose readers compare it with a hash: a power cut before the end may leave the name without the bytes, which
 * saves half of the flushes. `temporary` is a name on the same disk.
 */
export async function writeVerified(file: string, bytes: Uint8Array, temporary: string): Promise<void> {
  await makeFolder(path.dirname(file));
  await mkdir(path.dirname(temporary), { recursive: true });
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  // One commit of the file system's journal takes bytes and name.
  await syncFile(file);
}

/** `writeDurable` for code that may block. `syncFolder: false` leaves the rename to a later `syncFolderSync`: for many files of one folder. */
export function writeDurableSync(file: string, bytes: Uint8Array | string, options: { syncFolder?: boolean } = {}): void {
  const folder = path.dirname(file);
  const temporary = temporaryOf(file);
  makeFolderSync(folder);
  try {
    writeFileSync(temporary, bytes, { flush: true });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  if (options.syncFolder ?? true) syncFolderSync(folder);
}

/** Renames a file whose bytes were flushed, so that a power cut can no longer undo it. */
export async function renameDurable(from: string, to: string): Promise<void> {
  await makeFolder(path.dirname(to));
  await rename(from, to);
  await syncFolder(path.dirname(to));
}

/** Makes a file durable that is there already, whoever wrote it. */
export async function syncFile(file: string): Promise<void> {
  await makeFolder(path.dirname(file));
  await fsyncAt(file);
  await syncFolder(path.dirname(file));
}

interface FolderSync {
  done: Promise<void>;
  /** Begins when this one has ended, and is shared by all who ask meanwhile. */
  next: Promise<void> | null;
}

const syncs = new Map<string, FolderSync>();

/** Flushes the entries of a folder. Many calls at once share one flush that begins after the last of their renames. */
export function syncFolder(folder: string): Promise<void> {
  const running = syncs.get(folder);
  if (!running) return startSync(folder);
  running.next ??= running.done.catch(() => undefined).then(() => startSync(folder));
  return running.next;
}

function startSync(folder: string): Promise<void> {
  const sync: FolderSync = { done: fsyncAt(folder).catch(ignoreUnsupported), next: null };
  syncs.set(folder, sync);
  const forget = (): void => {
    if (!sync.next && syncs.get(folder) === sync) syncs.delete(folder);
  };
  sync.done.then(forget, forget);
  return sync.done;
}

/** `syncFolder` for code that may block. */
export function syncFolderSync(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
  } catch (error) {
    ignoreUnsupported(error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

async function fsyncAt(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Some network file systems cannot flush a folder; they make renames durable in their own way. */
function ignoreUnsupported(error: unknown): void {
  if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
}

/** Folders whose entry in the folder above this process has flushed. */
const durable = new Set<string>();

/** Makes the folder and flushes the folders above it: once a process, as another one may have made them without flushing. */
export async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  for (const parent of unflushedParents(folder, made)) await syncFolder(parent).catch(ignoreUnreadable);
  markDurable(folder);
}

function makeFolderSync(folder: string): void {
  const made = mkdirSync(folder, { recursive: true });
  for (const parent of unflushedParents(folder, made)) {
    try {
      syncFolderSync(parent);
    } catch (error) {
      ignoreUnreadable(error);
    }
  }
  markDurable(folder);
}

/** `made`: the topmost folder that was missing. */
function unflushedParents(folder: string, made: string | undefined): string[] {
  const parents: string[] = [];
  for (const at of andAbove(path.resolve(folder))) {
    if (made && at.startsWith(path.resolve(made))) durable.delete(at);
    if (durable.has(at)) break;
    parents.push(path.dirname(at));
  }
  return parents;
}

function markDurable(folder: string): void {
  for (const at of andAbove(path.resolve(folder))) durable.add(at);
}

/** The folder and those above it, without the root. */
function andAbove(folder: string): string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [] : [folder, ...andAbove(parent)];
}

/** A folder far above may be closed to this account; whoever made it is not this process. */
function ignoreUnreadable(error: unknown): void {
  if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
}

function temporaryOf(file: string): string {
  return `${file}.${process.pid}.tmp`;
}
