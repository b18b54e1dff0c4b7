import { CxrError } from '@cxr-lens/data';
import type { DataSet, PrismaClient } from '../../generated/client/client.ts';

/** Makes or renews the row of the prepared file at `path`. */
export async function registerDataSet(_prisma: PrismaClient, _path: string): Promise<DataSet> {
  throw new CxrError('INTERNAL', 'registerDataSet is not there yet');
}
