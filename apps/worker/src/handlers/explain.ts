import { setTimeout as sleep } from 'node:timers/promises';
import { CxrError, type ErrorCode, encodeNpy, type Finding, putObject } from '@cxr-lens/data';
import type { FindingExplanation, ImageRequest, PlainMap } from '@cxr-lens/model';
import { deleteUnused, type JobAttempt, type PrismaClient, type Run, shareObjects } from '@cxr-lens/prisma';
import type { Batcher } from '../batcher.ts';
import type { RunExplanation } from '../engine/protocol.ts';
import { waitForRoom } from '../room.ts';

export interface ExplainItem {
  /** A finished run folder. */
  run: string;
  /** SHA-256 of the registered card. The worker refuses to explain with any other card. */
  cardSha256?: string;
  image: ImageRequest;
}

interface Services {
  prisma: PrismaClient;
  batcher: Pick<Batcher<ExplainItem, RunExplanation>, 'ask'>;
}

/**
 * Explains one image with several runs: each run's rows appear as soon as it is done, and one that fails costs the others nothing.
 * Doing it again replaces them; another attempt at the same job leaves those that it gave already.
 */
export async function explain({ prisma, batcher }: Services, job: JobAttempt<'explain'>): Promise<void> {
  const { imageId, runIds, findings } = job.input;
  const image = await prisma.image.findUnique({ where: { id: imageId } });
  if (!image) throw new CxrError('NOT_FOUND', `Image ${imageId} was deleted before it was explained.`);
  const request = { object: image.objectKey, where: image.fileName ?? image.id, findings };
  const given = job.attempt === 1 ? new Set<string>() : await givenBefore(prisma, job);
  const rows = await prisma.run.findMany({ where: { id: { in: runIds } }, orderBy: { createdAt: 'asc' } });
  const runs = rows.filter(({ id }) => !given.has(id));
  const failures: { run: Run; error: unknown }[] = [];
  for (const [index, run] of runs.entries()) {
    job.progress({ what: `Explaining with ${run.name}`, done: index, total: runs.length });
    await waitForRoom(job);
    try {
      const explained = await askRun({ prisma, batcher }, job, { run, image: request });
      await store(prisma, job, { run, imageId, explained });
      await job.addEvent(`${run.name}: ${Object.keys(explained.findings).length} findings`);
      await job.advance(given.size + index + 1);
    } catch (error) {
      if (job.signal.aborted || codeOf(error) === 'CONFLICT' || codeOf(error) === 'CANCELLED') throw error;
      failures.push({ run, error });
      await job.addEvent(`${run.name} gave no explanation: ${messageOf(error)}`);
    }
  }
  if (failures.length > 0) throw failureOf(failures, rows.length);
  job.progress({ what: 'Explained', done: runs.length, total: runs.length });
}

/** Runs whose answer to this job is stored whole. */
async function givenBefore(prisma: PrismaClient, { jobId, input }: JobAttempt<'explain'>): Promise<Set<string>> {
  const { createdAt } = await prisma.job.findUniqueOrThrow({ where: { id: jobId }, select: { createdAt: true } });
  const answers = await prisma.explanation.groupBy({
    by: ['runId'],
    where: { imageId: input.imageId, runId: { in: input.runIds }, finding: { in: input.findings }, createdAt: { gte: createdAt } },
    _count: true,
  });
  return new Set(answers.flatMap(({ runId, _count }) => (_count === input.findings.length ? [runId] : [])));
}

const codeOf = (error: unknown): ErrorCode => (error instanceof CxrError ? error.code : 'INTERNAL');
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns an error that may pass first, so that the job is tried again. */
function failureOf(failures: readonly { run: Run; error: unknown }[], runs: number): unknown {
  const again = failures.find(({ error }) => ['INTERNAL', 'UNAVAILABLE'].includes(codeOf(error)));
  if (again) return again.error;
  const messages = new Set(failures.map(({ error }) => messageOf(error)));
  if (messages.size === 1 && failures.length === runs) return failures[0]!.error;
  const each = failures.map(({ run, error }) => `${run.name}: ${messageOf(error)}`);
  return new CxrError(codeOf(failures[0]!.error), `${failures.length} of ${runs} runs gave no explanation. ${each.join(' ')}`);
}

/** How long a card is waited for that an evaluation has written and not registered yet. */
const CARD_PATIENCE_MS = 3000;
const LOOK_MS = 250;

/** Asks for the run with its registered card, again when another one is registered meanwhile. */
async function askRun(
  { prisma, batcher }: Services,
  job: JobAttempt<'explain'>,
  { run, image }: { run: Pick<Run, 'id' | 'path' | 'cardSha256'>; image: ImageRequest },
): Promise<RunExplanation> {
  const { path, cardSha256 } = run;
  // What may have killed its worker before goes alone the next time, and takes no others with it.
  const key = job.attempt === 1 ? `${path} ${cardSha256}` : `${path} ${cardSha256} ${job.jobId}`;
  try {
    return await batcher.ask({ run: path, ...(cardSha256 === null ? {} : { cardSha256 }), image }, { key, signal: job.signal });
  } catch (error) {
    if (!(error instanceof CxrError) || error.code !== 'CORRUPT') throw error;
    for (const deadline = Date.now() + CARD_PATIENCE_MS; ; await sleep(LOOK_MS)) {
      const now = await prisma.run.findUnique({ where: { id: run.id } });
      if (now && now.cardSha256 !== cardSha256) return askRun({ prisma, batcher }, job, { run: now, image });
      const evaluations = await prisma.job.count({ where: { kind: 'EVALUATE', state: 'RUNNING' } });
      if (evaluations === 0 || job.signal.aborted || Date.now() > deadline) throw error;
    }
  }
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
      // All at once, so that their flushes to the disk share commits of its journal.
      const stored = await Promise.allSettled(
        (Object.entries(explained.findings) as [Finding, FindingExplanation][]).map(async ([finding, explanation]) => {
          columns.set(finding, await columnsOf(explanation));
        }),
      );
      for (const end of stored) if (end.status === 'rejected') throw end.reason;
      for (const [finding, answer] of columns) {
        const key = { imageId, runId: run.id, finding };
        const data = { ...answer, bits: explained.bits?.bits ?? null, bitsSource: explained.bits?.source ?? null, ...explained.pins };
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
