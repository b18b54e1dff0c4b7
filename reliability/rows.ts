import { createPrisma, ensureDatabase, findUnused, releaseDatabase, sweepObjects, verifyObjects } from '@cxr-lens/prisma';
import { lostBytes } from './client.ts';

export interface Stock {
  /** Acknowledged images whose row or bytes are gone. */
  lost: number;
  /** Images that were sent once and are there twice. */
  doubled: number;
  /** Stored bytes that do not have their SHA-256. */
  damaged: number;
  /** What the sweep deleted, and what it left. */
  swept: number;
  orphans: number;
  /** Jobs by state. */
  jobs: Record<string, number>;
  /** Messages of failed jobs. */
  failures: string[];
}

/** Looks into the database and object store of a home in which nothing else runs. */
export async function takeStock(home: string, acknowledged: ReadonlyMap<string, string>): Promise<Stock> {
  const { CXR_HOME, DATABASE_URL } = process.env;
  delete process.env['DATABASE_URL'];
  process.env['CXR_HOME'] = home;
  const prisma = createPrisma(await ensureDatabase());
  try {
    const images = await prisma.image.findMany({ select: { id: true, objectKey: true } });
    const keys = new Map(images.map(({ id, objectKey }) => [id, objectKey]));
    const rowsLost = [...acknowledged].filter(([id, key]) => keys.get(id) !== key).length;
    const { images: harmed, maps } = await verifyObjects(prisma);
    const swept = await sweepObjects(prisma, { olderThanMs: 0 });
    const left = await findUnused(prisma, { olderThanMs: 0 });
    const states = await prisma.job.groupBy({ by: ['state'], _count: true });
    const failed = await prisma.job.findMany({ where: { state: 'FAILED' }, select: { kind: true, errorMessage: true } });
    return {
      lost: rowsLost + lostBytes(home, acknowledged.values()),
      doubled: images.length - new Set(keys.values()).size,
      damaged: harmed.length + maps.length,
      swept: swept.orphans.length + swept.unfinished.length,
      orphans: left.orphans.length + left.unfinished.length,
      jobs: Object.fromEntries(states.map(({ state, _count }) => [state, _count])),
      failures: failed.map(({ kind, errorMessage }) => `${kind}: ${errorMessage}`),
    };
  } finally {
    await prisma.$disconnect();
    releaseDatabase();
    delete process.env['CXR_HOME'];
    if (CXR_HOME !== undefined) process.env['CXR_HOME'] = CXR_HOME;
    if (DATABASE_URL !== undefined) process.env['DATABASE_URL'] = DATABASE_URL;
  }
}
