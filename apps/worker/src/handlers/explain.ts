import { CxrError, deleteObject, encodeNpy, type Finding, putObject } from '@cxr-lens/data';
import type { FindingExplanation, ImageRequest, PlainMap } from '@cxr-lens/model';
import { type JobAttempt, ownObjects, type PrismaClient, type Run, shareObjects } from '@cxr-lens/prisma';
import type { Batcher } from '../batcher.ts';
import type { RunExplanation } from '../engine/protocol.ts';

export interface ExplainItem {
  /** A finished run folder. */
  run: string;
  image: ImageRequest;
}

interface Services {
  prisma: PrismaClient;
  batcher: Pick<Batcher<ExplainItem, RunExplanation>, 'ask'>;
}

/** Explains one image with several runs: each run's rows appear as soon as it is done. Doing it again replaces them. */
export async function explain({ prisma, batcher }: Services, job: JobAttempt<'explain'>): Promise<void> {
  const { imageId, runIds, findings } = job.input;
  const image = await prisma.image.findUnique({ where: { id: imageId } });
  if (!image) throw new CxrError('NOT_FOUND', `Image ${imageId} was deleted before it was explained.`);
  const request = { object: image.objectKey, where: image.fileName ?? image.id, findings };
  const runs = await prisma.run.findMany({ where: { id: { in: runIds } }, orderBy: { createdAt: 'asc' } });
  for (const [index, run] of runs.entries()) {
    job.progress({ what: `Explaining with ${run.name}`, done: index, total: runs.length });
    // What may have killed its worker before goes alone the next time, and takes no others with it.
    const key = job.attempt === 1 ? run.path : `${run.path} ${job.jobId}`;
    const explained = await batcher.ask({ run: run.path, image: request }, { key, signal: job.signal });
    await store(prisma, job, { run, imageId, explained });
    await job.addEvent(`${run.name}: ${Object.keys(explained.findings).length} findings`);
  }
  job.progress({ what: 'Explained', done: runs.length, total: runs.length });
}

interface Answer {
  run: Run;
  imageId: string;
  explained: RunExplanation;
}

type Columns = Awaited<ReturnType<typeof columnsOf>>;

/** Maps and all rows of the run at once, then the maps that no row names any more: those replaced, or all new ones when it failed. */
async function store(prisma: PrismaClient, job: JobAttempt<'explain'>, { run, imageId, explained }: Answer): Promise<void> {
  const findings = Object.keys(explained.findings);
  const before = await prisma.explanation.findMany({ where: { imageId, runId: run.id, finding: { in: findings } } });
  const columns = new Map<string, Columns>();
  try {
    await job.write(async (tx) => {
      await shareObjects(tx);
      for (const [finding, explanation] of Object.entries(explained.findings) as [Finding, FindingExplanation][]) {
        const answer = await columnsOf(explanation);
        columns.set(finding, answer);
        const key = { imageId, runId: run.id, finding };
        const data = { ...answer, ...explained.pins };
        await tx.explanation.upsert({
          where: { imageId_runId_finding: key },
          create: { ...key, ...data },
          update: { ...data, createdAt: new Date() },
        });
      }
    });
  } catch (error) {
    // What failed is to be told, not that it could not be tidied up.
    await deleteUnused(prisma, keysOf(columns.values())).catch(() => undefined);
    throw error;
  }
  await deleteUnused(prisma, keysOf(before));
}

const keysOf = (rows: Iterable<Pick<Columns, 'camKey' | 'saliencyKey'>>): string[] =>
  [...rows].flatMap(({ camKey, saliencyKey }) => [camKey, saliencyKey]);

async function columnsOf({ cam, saliency, box, ...answer }: FindingExplanation) {
  const [camColumns, saliencyColumns] = await Promise.all([storeMap(cam), storeMap(saliency)]);
  return {
    logit: answer.logit,
    probability: answer.probability,
    probabilityReason: answer.probabilityReason,
    operatingPoint: answer.operatingPoint,
    decision: answer.decision,
    camThreshold: answer.camThreshold,
    camKey: camColumns.key,
    camWidth: cam.width,
    camHeight: cam.height,
    camMin: camColumns.min,
    camMax: camColumns.max,
    saliencyKey: saliencyColumns.key,
    saliencyWidth: saliency.width,
    saliencyHeight: saliency.height,
    saliencyMin: saliencyColumns.min,
    saliencyMax: saliencyColumns.max,
    boxX: box?.x ?? null,
    boxY: box?.y ?? null,
    boxWidth: box?.width ?? null,
    boxHeight: box?.height ?? null,
  };
}

async function storeMap({ values, height, width }: PlainMap): Promise<{ key: string; min: number; max: number }> {
  const key = await putObject(encodeNpy(values, [height, width]));
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return { key, min, max };
}

async function deleteUnused(prisma: PrismaClient, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await prisma.$transaction(
    async (tx) => {
      await ownObjects(tx);
      for (const key of new Set(keys)) {
        const maps = await tx.explanation.count({ where: { OR: [{ camKey: key }, { saliencyKey: key }] } });
        const images = await tx.image.count({ where: { objectKey: key } });
        if (maps + images === 0) await deleteObject(key);
      }
    },
    { timeout: 30_000 },
  );
}
