import { CxrError, type OnProgress } from '@cxr-lens/data';

/** The URL of a ready, migrated database: DATABASE_URL, or the embedded server of this CXR_HOME, started if need be. */
export async function ensureDatabase(_options: { onProgress?: OnProgress } = {}): Promise<string> {
  throw new CxrError('INTERNAL', 'ensureDatabase is not there yet');
}
