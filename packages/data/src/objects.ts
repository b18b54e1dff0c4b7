import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import { Disk } from 'flydrive';
import { FSDriver } from 'flydrive/drivers/fs';
import { CxrError } from './error.ts';
import { cxrHome } from './home.ts';

/** Stores bytes under their SHA-256 in `<CXR_HOME>/objects`; storing the same bytes again changes nothing. Returns the key. */
export async function putObject(bytes: Uint8Array): Promise<string> {
  const key = sha256(bytes);
  const disk = objects();
  try {
    if (await disk.exists(pathOf(key))) return key;
    // Under another name first: a write that is cut off never has the name of whole bytes.
    const unfinished = `unfinished/${randomUUID()}`;
    await disk.put(unfinished, bytes);
    await disk.move(unfinished, pathOf(key));
    return key;
  } catch (cause) {
    throw new CxrError('UNAVAILABLE', `${bytes.length} bytes cannot be stored: ${(cause as Error).message}. Check the space in CXR_HOME.`, {
      cause,
    });
  }
}

/** The bytes of a key: NOT_FOUND when absent, CORRUPT when they no longer have this SHA-256. */
export async function getObject(key: string): Promise<Uint8Array> {
  const disk = objects();
  const at = pathOf(key);
  if (!(await disk.exists(at))) throw new CxrError('NOT_FOUND', `No object ${key} is stored. It may have been deleted.`);
  const bytes = await disk.getBytes(at);
  if (sha256(bytes) !== key) throw new CxrError('CORRUPT', `The object ${key} no longer has its SHA-256. Store the file again.`);
  return bytes;
}

/** Deletes the bytes of a key; a key that is not there is no error. */
export async function deleteObject(key: string): Promise<void> {
  await objects().delete(pathOf(key));
}

/** Where the bytes of a key lie, whether they are there or not: for backups, which link and copy files. */
export function objectFile(key: string): string {
  return path.join(objectsFolder(), pathOf(key));
}

const objectsFolder = (): string => path.join(cxrHome(), 'objects');

function objects(): Disk {
  return new Disk(new FSDriver({ location: objectsFolder(), visibility: 'private' }));
}

/** Two letters a folder: 256 folders, none with more entries than a file system likes. */
function pathOf(key: string): string {
  if (/^[0-9a-f]{64}$/.test(key)) return `${key.slice(0, 2)}/${key}`;
  throw new CxrError('BAD_INPUT', `"${key.slice(0, 80)}" is no object's key; expected a SHA-256 in hexadecimal.`);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
