import type { Prisma } from '../../generated/client/client.ts';

// Who stores bytes holds it shared until the row that names them is there; who deletes bytes, alone: none may find bytes about to go.
export const OBJECTS_LOCK = 7_240_591;

/** Until the transaction ends, no object of the store is deleted: to be held while bytes and the rows that name them come to be. */
export async function shareObjects(tx: Prisma.TransactionClient): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock_shared(${OBJECTS_LOCK})`;
}

/** Until the transaction ends, nobody else stores or deletes objects: to be held while those that no row names are deleted. */
export async function ownObjects(tx: Prisma.TransactionClient): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${OBJECTS_LOCK})`;
}
