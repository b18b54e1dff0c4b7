import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, syncFile, writeVerified } from './durable.ts';
import { CxrError } from './error.ts';
import { cxrHome } from './home.ts';

/**
 * Stores bytes under their SHA-256 in `<CXR_HOME>/objects` and returns the key once a power cut can no longer take them. Bytes that are
 * there already are compared, and written anew where they are damaged. UNAVAILABLE when they cannot be stored.
 */
export async function putObject(bytes: Uint8Array): Promise<string> {
  const key = sha256(bytes);
  const file = objectFile(key);
  try {
    await makeFolders();
    // Whoever wrote what is there may not have flushed it.
    if (await holds(file, bytes)) await syncFile(file);
    else await writeVerified(file, bytes, path.join(unfinishedFolder(), randomUUID()));
    return key;
  } catch (cause) {
    throw new CxrError('UNAVAILABLE', `${bytes.length} bytes cannot be stored: ${(cause as Error).message}. Check the space in CXR_HOME.`, {
      cause,
    });
  }
}

/** The bytes of a key: NOT_FOUND when absent, CORRUPT when they no longer have this SHA-256. */
export async function getObject(key: string): Promise<Uint8Array> {
  const bytes = await orNull(readFile(objectFile(key)));
  if (!bytes) throw new CxrError('NOT_FOUND', `No object ${key} is stored. It may have been deleted.`);
  if (sha256(bytes) !== key) {
    throw new CxrError('CORRUPT', `The object ${key} no longer has its SHA-256. Upload the image again; "Explain again" makes maps anew.`);
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Deletes the bytes of a key; a key that is not there is no error. */
export async function deleteObject(key: string): Promise<void> {
  await rm(objectFile(key), { force: true });
}

/** Where the bytes of a key lie, whether they are there or not. Two letters a folder: 256 folders, none with more entries than a file system likes. */
export function objectFile(key: string): string {
  if (KEY.test(key)) return path.join(objectsFolder(), key.slice(0, 2), key);
  throw new CxrError('BAD_INPUT', `"${key.slice(0, 80)}" is no object's key; expected a SHA-256 in hexadecimal.`);
}

/** A file of the store: `key` of an object, or null for one that was left unfinished. */
export interface StoredFile {
  key: string | null;
  file: string;
  bytes: number;
  /** When it was last written, in milliseconds since 1970. */
  changedMs: number;
}

/** Every file of the store, folder by folder; what is neither an object nor an unfinished one is left out. */
export async function* listObjects(): AsyncGenerator<StoredFile> {
  const root = objectsFolder();
  for (const folder of (await orNull(readdir(root))) ?? []) {
    const unfinished = path.join(root, folder) === unfinishedFolder();
    for (const name of (await orNull(readdir(path.join(root, folder)))) ?? []) {
      if (!unfinished && !(KEY.test(name) && name.startsWith(folder))) continue;
      const file = path.join(root, folder, name);
      const found = await orNull(stat(file));
      if (found) yield { key: unfinished ? null : name, file, bytes: found.size, changedMs: found.mtimeMs };
    }
  }
}

/** Resolves as the action does; null if the file or folder is not there. */
async function orNull<T>(action: Promise<T>): Promise<T | null> {
  try {
    return await action;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/** The store whose folders this process has made. */
let made: { root: string; all: Promise<unknown> } | null = null;

/** All 256 folders at once: they share one flush, where one after the other would cost the first uploads one each. */
async function makeFolders(): Promise<void> {
  const root = objectsFolder();
  if (made?.root !== root) {
    const folders = Array.from({ length: 256 }, (_, i) => path.join(root, i.toString(16).padStart(2, '0')));
    made = { root, all: Promise.all(folders.map(makeFolder)) };
  }
  try {
    await made.all;
  } catch (error) {
    made = null;
    throw error;
  }
}

async function holds(file: string, bytes: Uint8Array): Promise<boolean> {
  // A file that cannot be read is written anew.
  const found = await stat(file).catch(() => null);
  if (found?.size !== bytes.length) return false;
  return (await readFile(file).catch(() => null))?.equals(bytes) ?? false;
}

const objectsFolder = (): string => path.join(cxrHome(), 'objects');

/** Where bytes are written until they are whole. */
const unfinishedFolder = (): string => path.join(objectsFolder(), 'unfinished');

const KEY = /^[0-9a-f]{64}$/;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
