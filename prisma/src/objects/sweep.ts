import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { cxrHome, listObjects, type StoredFile, writeDurable } from '@cxr-lens/data';
import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../generated/client/client.ts';
import { ownObjects } from './lock.ts';
import { deleteUnused, unusedKeys } from './unused.ts';

const HOUR_MS = 3_600_000;

export interface UnusedObjects {
  /** Objects that no row names. */
  orphans: string[];
  /** Files of writes that were cut off. */
  unfinished: string[];
  bytes: number;
  /** The store's rows are in another database, as far as can be seen: then nothing is unused. */
  foreign: boolean;
}

/**
 * What nobody needs in the object store, as of `olderThanMs` ago. The store belongs to one database, which `<CXR_HOME>/objects.json` names:
 * to any other, an empty one above all, every object would look unused.
 */
export async function findUnused(prisma: PrismaClient, { olderThanMs = HOUR_MS } = {}): Promise<UnusedObjects> {
  const found: UnusedObjects = { orphans: [], unfinished: [], bytes: 0, foreign: false };
  const before = Date.now() - olderThanMs;
  let used = 0;
  for await (const files of batches(listObjects(), 500)) {
    const keys = files.flatMap(({ key }) => (key === null ? [] : [key]));
    const unused = new Set(await unusedKeys(prisma, keys));
    used += keys.length - unused.size;
    for (const { key, file, bytes, changedMs } of files) {
      if (changedMs > before || (key !== null && !unused.has(key))) continue;
      if (key === null) found.unfinished.push(file);
      else found.orphans.push(key);
      found.bytes += bytes;
    }
  }
  const isEmpty = used === 0 && found.orphans.length === 0;
  if (!isEmpty && !(await ownsStore(prisma, { used, orphans: found.orphans.length }))) {
    return { orphans: [], unfinished: [], bytes: 0, foreign: true };
  }
  return found;
}

/** Deletes what `findUnused` finds and tells it. Bytes whose row is about to be written are never among it: their writer holds the store. */
export async function sweepObjects(prisma: PrismaClient, options: { olderThanMs?: number } = {}): Promise<UnusedObjects> {
  const found = await findUnused(prisma, options);
  const orphans = await deleteUnused(prisma, found.orphans);
  if (found.unfinished.length > 0) {
    await prisma.$transaction(async (tx) => {
      await ownObjects(tx);
      for (const file of found.unfinished) await rm(file, { force: true });
    });
  }
  return { ...found, orphans };
}

const OwnerSchema = z.object({ database: z.string() });

/** Whether the rows of the store's objects are in this database. A store that names none is taken where most of its objects have rows. */
async function ownsStore(prisma: PrismaClient, { used, orphans }: { used: number; orphans: number }): Promise<boolean> {
  const file = path.join(cxrHome(), 'objects.json');
  const database = await databaseId(prisma);
  const owner = parseOwner(await readFile(file, 'utf8').catch(() => 'null'));
  if (owner) return owner.database === database;
  if (used < orphans) return false;
  await writeDurable(file, `${JSON.stringify({ database })}\n`);
  return true;
}

function parseOwner(text: string): z.infer<typeof OwnerSchema> | null {
  try {
    return OwnerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Of the first migration's row: every database has its own, and keeps it in a backup that is restored elsewhere. */
async function databaseId(prisma: Prisma.TransactionClient): Promise<string> {
  const rows = await prisma.$queryRaw<{ id: string }[]>`SELECT id FROM _prisma_migrations ORDER BY started_at, migration_name LIMIT 1`;
  return rows[0]!.id;
}

async function* batches(files: AsyncIterable<StoredFile>, size: number): AsyncGenerator<StoredFile[]> {
  let batch: StoredFile[] = [];
  for await (const file of files) {
    batch.push(file);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
