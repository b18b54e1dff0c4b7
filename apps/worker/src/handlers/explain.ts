import { CxrError, deleteObject, encodeNpy, type Finding, getObject, putObject } from '@cxr-lens/data';
import type { FindingExplanation, PlainMap } from '@cxr-lens/model';
import type { JobAttempt, Prisma, PrismaClient, Run } from '@cxr-lens/prisma';
import type { Engine } from '../engine/engine.ts';
import type { RunExplanation } from '../engine/protocol.ts';

/** Explains one image with several runs: each run's rows appear as soon as it is done. Doing it again replaces them. */
export async function explain({ prisma, engine }: { prisma: PrismaClient; engine: Engine }, job: JobAttempt<'explain'>): Promise<void> {
  const { imageId, runIds, findings } = job.input;
  const image = await prisma.image.findUnique({ where: { id: imageId } });
  if (!image) throw new CxrError('NOT_FOUND', `Image ${imageId} was deleted before it was explained.`);
  const bytes = await getObject(image.objectKey);
  const where = image.fileName ?? image.id;
  const runs = await prisma.run.findMany({ where: { id: { in: runIds } }, orderBy: { createdAt: 'asc' } });
  for (const [index, run] of runs.entries()) {
    job.progress({ what: `Explaining with ${run.name}`, done: index, total: runs.length });
    const hooks = { signal: job.signal, onProgress: () => undefined, beforeWrite: job.fence };
    const explained = await engine.call('explain', { run: run.path, bytes, where, findings }, hooks);
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

/** Maps first, then all rows of the run at once, then the maps that no row names any more. */
async function store(prisma: PrismaClient, job: JobAttempt<'explain'>, { run, imageId, explained }: Answer): Promise<void> {
  await job.fence();
  const columns = new Map<string, Awaited<ReturnType<typeof columnsOf>>>();
  for (const [finding, explanation] of Object.entries(explained.findings) as [Finding, FindingExplanation][]) {
    columns.set(finding, await columnsOf(explanation));
  }
  const before = await prisma.explanation.findMany({ where: { imageId, runId: run.id, finding: { in: [...columns.keys()] } } });
  await job.write(async (tx) => {
    for (const [finding, answer] of columns) {
      const key = { imageId, runId: run.id, finding };
      const data = { ...answer, ...explained.pins };
      await tx.explanation.upsert({
        where: { imageId_runId_finding: key },
        create: { ...key, ...data },
        update: { ...data, createdAt: new Date() },
      });
    }
  });
  await deleteUnused(
    prisma,
    before.flatMap(({ camKey, saliencyKey }) => [camKey, saliencyKey]),
  );
}

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
  for (const key of new Set(keys)) {
    const where: Prisma.ExplanationWhereInput = { OR: [{ camKey: key }, { saliencyKey: key }] };
    if ((await prisma.explanation.count({ where })) === 0) await deleteObject(key);
  }
}
