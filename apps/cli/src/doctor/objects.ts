import { FINDINGS, type OnProgress } from '@cxr-lens/data';
import type { DamagedObjects, PrismaClient, UnusedObjects } from '@cxr-lens/prisma';
import { count, type Finding } from './finding.ts';

interface Options {
  prisma: PrismaClient;
  /** The URL of the same database. */
  url: string;
  repair: boolean;
  onProgress: OnProgress;
}

/** What is being stored at this moment is no older; the lock of the store keeps it in any case. */
const OLDER_THAN_MS = 60_000;

/**
 * Compares the object store with its rows. Repairing deletes what no row names and explains images anew whose maps are damaged; an image
 * itself comes back only when it is uploaded again.
 */
export async function checkObjects({ prisma, url, repair, onProgress }: Options): Promise<Finding> {
  const { findUnused, sweepObjects, verifyObjects } = await import('@cxr-lens/prisma');
  const damaged = await verifyObjects(prisma, { onProgress });
  const unused = await (repair ? sweepObjects : findUnused)(prisma, { olderThanMs: OLDER_THAN_MS });
  const explained = repair ? await explainAnew(prisma, url, damaged) : 0;
  const lines = [...damagedLines(damaged, explained > 0), ...unusedLines(unused, repair)];
  const left = damaged.images.length + (explained > 0 ? 0 : damaged.maps.length) + (repair ? 0 : unused.orphans.length);
  return {
    part: 'objects',
    ok: left === 0 && unfinishedLeft(unused, repair) === 0 && !unused.foreign,
    says: `${count(damaged.checked, 'object')} compared with their SHA-256${lines.length === 0 ? ', all whole' : ''}`,
    ...(lines.length > 0 ? { details: lines } : {}),
  };
}

const unfinishedLeft = ({ unfinished }: UnusedObjects, repair: boolean): number => (repair ? 0 : unfinished.length);

function damagedLines({ images, maps }: DamagedObjects, explained: boolean): string[] {
  return [
    ...images.map(
      ({ id, fileName, harm }) => `image ${id} (${fileName ?? 'without a name'}): its bytes are ${harm}: upload the file again`,
    ),
    ...maps.map(({ imageId, runId, finding, harm }) => {
      const remedy = explained ? 'is explained again by a worker' : '"Explain again" or --repair makes it anew';
      return `map of ${finding} by ${runId} of image ${imageId}: ${harm}: ${remedy}`;
    }),
  ];
}

function unusedLines({ orphans, unfinished, bytes, foreign }: UnusedObjects, repaired: boolean): string[] {
  if (foreign) return ['its rows are in another database (DATABASE_URL?): nothing is deleted'];
  if (orphans.length + unfinished.length === 0) return [];
  const what = `${count(orphans.length, 'object')} that no row names, ${unfinished.length} unfinished, ${(bytes / 1e6).toFixed(1)} MB`;
  return [`${what}: ${repaired ? 'deleted' : 'a worker deletes them within hours, --repair now'}`];
}

/** Queues the runs of damaged maps, where the image itself is whole; how many images. */
async function explainAnew(prisma: PrismaClient, url: string, { images, maps }: DamagedObjects): Promise<number> {
  const lost = new Set(images.map(({ id }) => id));
  const runs = new Map<string, Set<string>>();
  for (const { imageId, runId } of maps) {
    if (lost.has(imageId)) continue;
    runs.set(imageId, (runs.get(imageId) ?? new Set()).add(runId));
  }
  if (runs.size === 0) return 0;
  const { createJobs } = await import('@cxr-lens/prisma');
  const jobs = await createJobs({ prisma, url });
  try {
    for (const [imageId, runIds] of runs) await jobs.enqueue('explain', { imageId, runIds: [...runIds], findings: [...FINDINGS] });
  } finally {
    await jobs.stop();
  }
  return runs.size;
}
