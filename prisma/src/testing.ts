import { CxrError } from '@cxr-lens/data';

/** A migrated database of the test's own; `drop()` it in `afterAll`. */
export async function testDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  throw new CxrError('INTERNAL', 'testDatabase is not there yet');
}
