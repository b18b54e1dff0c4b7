import { CxrError } from '@cxr-lens/data';
import { type JobAttempt, type PrismaClient, writeRunRows } from '@cxr-lens/prisma';
import type { Engine } from '../engine/engine.ts';

/** Measures runs on the test images of one data set, into their folders and then into rows. */
export async function evaluate({ prisma, engine }: { prisma: PrismaClient; engine: Engine }, job: JobAttempt<'evaluate'>): Promise<void> {
  const { runIds, dataSetId } = job.input;
  const dataSet = await prisma.dataSet.findUnique({ where: { id: dataSetId } });
  if (!dataSet) throw new CxrError('NOT_FOUND', `Data set ${dataSetId} was deleted before the evaluation began.`);
  const rows = await prisma.run.findMany({ where: { id: { in: runIds } }, orderBy: { createdAt: 'asc' }, select: { path: true } });
  const runs = rows.map((row) => row.path);
  // At once: explanations compare the card of the folder with the row.
  const onEvaluated = async (run: string): Promise<void> => void (await job.write((tx) => writeRunRows(tx, run)));
  const hooks = { signal: job.signal, onProgress: job.progress, beforeWrite: job.fence, onEvaluated };
  await engine.call('evaluate', { runs, data: dataSet.path }, hooks);
}
