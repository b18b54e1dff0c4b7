import { deleteObject } from '@cxr-lens/data';
import { Prisma, type PrismaClient } from '../../generated/client/client.ts';
import { ownObjects } from './lock.ts';

/** Every key of the object store that a row names. */
export const OBJECT_KEYS = `SELECT "objectKey" AS key FROM "Image" UNION SELECT "camKey" FROM "Explanation" UNION SELECT "saliencyKey" FROM "Explanation"`;

// A study has two maps a finding, run and image, and uploads that are under way hold the lock for 30 s at most.
const DELETING = { timeout: 120_000, maxWait: 30_000 };

/** Objects of one transaction: uploads wait for it. */
const AT_ONCE = 500;

/** Deletes those of the objects that no row names; the keys that were deleted. None of them can come into use meanwhile. */
export async function deleteUnused(prisma: PrismaClient, keys: Iterable<string>): Promise<string[]> {
  const deleted: string[] = [];
  const all = [...new Set(keys)];
  for (let start = 0; start < all.length; start += AT_ONCE) {
    await prisma.$transaction(async (tx) => {
      await ownObjects(tx);
      for (const key of await unusedKeys(tx, all.slice(start, start + AT_ONCE))) {
        await deleteObject(key);
        deleted.push(key);
      }
    }, DELETING);
  }
  return deleted;
}

/** Those of the keys that no row names. */
export async function unusedKeys(tx: Prisma.TransactionClient, keys: readonly string[]): Promise<string[]> {
  const rows = await tx.$queryRaw<{ key: string }[]>`SELECT key FROM (${Prisma.raw(OBJECT_KEYS)}) AS named WHERE key = ANY(${keys})`;
  const used = new Set(rows.map(({ key }) => key));
  return keys.filter((key) => !used.has(key));
}
