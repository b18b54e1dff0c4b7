import { setTimeout as sleep } from 'node:timers/promises';
import { CxrError } from '@cxr-lens/data';
import { patiently, readJobInput } from '@cxr-lens/prisma';
import { type Client, OPEN } from './client.ts';

const LOOK_EVERY_MS = 1000;

/**
 * Has measured runs explain every image that came before they were measured: the images without an answer of theirs, and those whose
 * answer is by an older card, which had no thresholds and so no box. Ends when nothing more is under way. An image that comes later
 * is the API's to queue.
 */
export async function explainWhatCameBefore(client: Client, runIds: readonly string[], signal: AbortSignal): Promise<void> {
  const asked = new Set<string>();
  while (!signal.aborted) {
    let open = 0;
    for (const { imageId, waits, missing } of await patiently(() => unexplained(client, runIds))) {
      // One that has failed is not asked for again and again.
      const now = missing.filter(({ key }) => !asked.has(key));
      for (const { key } of now) asked.add(key);
      if (now.length > 0) await patiently(() => explain(client, imageId, now));
      open += waits.length + now.length;
    }
    if (open === 0) return;
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

interface Missing {
  runId: string;
  /** Image, run and card. */
  key: string;
}

interface Unexplained {
  imageId: string;
  /** An open job is about to answer, with the old card or the new one. */
  waits: Missing[];
  missing: Missing[];
}

async function unexplained({ prisma }: Client, runIds: readonly string[]): Promise<Unexplained[]> {
  const among = { in: [...runIds] };
  const runs = await prisma.run.findMany({
    where: { id: among },
    select: { id: true, cardSha256: true, evaluations: { orderBy: { createdAt: 'desc' }, take: 1, select: { createdAt: true } } },
  });
  const images = await prisma.image.findMany({
    select: {
      id: true,
      createdAt: true,
      explanations: { where: { runId: among }, distinct: ['runId', 'cardSha256'], select: { runId: true, cardSha256: true } },
      jobs: { where: { kind: 'EXPLAIN', state: OPEN }, select: { input: true } },
    },
  });
  return images.map(({ id: imageId, createdAt, explanations, jobs }) => {
    const lacking = runs.flatMap(({ id: runId, cardSha256, evaluations: [measured] }) => {
      const cards = explanations.filter((row) => row.runId === runId);
      const stale = cards.length === 0 ? measured && createdAt < measured.createdAt : cards.some((row) => row.cardSha256 !== cardSha256);
      return stale ? [{ runId, key: `${imageId} ${runId} ${cardSha256}` }] : [];
    });
    const coming = new Set(jobs.flatMap((job) => readJobInput('explain', job).runIds));
    return {
      imageId,
      waits: lacking.filter(({ runId }) => coming.has(runId)),
      missing: lacking.filter(({ runId }) => !coming.has(runId)),
    };
  });
}

async function explain({ jobs }: Client, imageId: string, missing: readonly Missing[]): Promise<void> {
  try {
    await jobs.enqueue('explain', { imageId, runIds: missing.map(({ runId }) => runId) });
  } catch (error) {
    // It was deleted meanwhile.
    if (!(error instanceof CxrError && error.code === 'NOT_FOUND')) throw error;
  }
}
