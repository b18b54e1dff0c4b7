import { CxrError } from '@cxr-lens/data';
import type { PrismaClient, Run } from '../../generated/client/client.ts';

/** Rebuilds the rows of the run in `folder` from its files, in one transaction, as often as you like. */
export async function registerRun(_prisma: PrismaClient, _folder: string): Promise<Run> {
  throw new CxrError('INTERNAL', 'registerRun is not there yet');
}
