import { CxrError } from './error.ts';

/** Stores bytes under their SHA-256 in `<CXR_HOME>/objects`; storing the same bytes again changes nothing. Returns the key. */
export async function putObject(_bytes: Uint8Array): Promise<string> {
  throw new CxrError('INTERNAL', 'putObject is not there yet');
}

/** The bytes of a key: NOT_FOUND when absent, CORRUPT when they no longer have this SHA-256. */
export async function getObject(key: string): Promise<Uint8Array> {
  throw new CxrError('INTERNAL', `getObject is not there yet (${key})`);
}

/** Deletes the bytes of a key; a key that is not there is no error. */
export async function deleteObject(key: string): Promise<void> {
  throw new CxrError('INTERNAL', `deleteObject is not there yet (${key})`);
}
