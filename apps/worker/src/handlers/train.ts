import path from 'node:path';
import { CxrError, cxrHome } from '@cxr-lens/data';
import { lossText } from '@cxr-lens/model/spec';
import { type JobAttempt, type PrismaClient, writeRunRows } from '@cxr-lens/prisma';
import type { Engine } from '../engine/engine.ts';

/** Trains into `<CXR_HOME>/runs/<run id>`, going on where an earlier attempt was; the rows follow every epoch. */
export async function train({ prisma, engine }: { prisma: PrismaClient; engine: Engine }, job: JobAttempt<'train'>): Promise<void> {
  const { runId, name, method, preset, dataSetId, fromRunId, options } = job.input;
  const dataSet = await prisma.dataSet.findUnique({ where: { id: dataSetId } });
  if (!dataSet) throw new CxrError('NOT_FOUND', `Data set ${dataSetId} was deleted before the training began.`);
  const from = fromRunId === null ? undefined : (await prisma.run.findUnique({ where: { id: fromRunId } }))?.path;
  const out = path.join(cxrHome(), 'runs', runId);
  await engine.call(
    'train',
    { method, preset, options, name, data: dataSet.path, out, from, resume: true },
    {
      signal: job.signal,
      onProgress: job.progress,
      beforeWrite: job.fence,
      onCheckpoint: job.advance,
      onEpoch: async ({ epoch, validationLoss, probe }) => {
        await job.write((tx) => writeRunRows(tx, out));
        const warning = probe?.overfitted ? '; catastrophic overfitting: the training attack misses most of what a strong one finds' : '';
        await job.addEvent(`Epoch ${epoch}: validation loss ${lossText(validationLoss)}${warning}`);
      },
    },
  );
  await job.write((tx) => writeRunRows(tx, out));
}
