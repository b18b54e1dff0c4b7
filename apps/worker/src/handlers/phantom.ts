import { existsSync } from 'node:fs';
import path from 'node:path';
import { cxrHome } from '@cxr-lens/data';
import { type JobAttempt, type PrismaClient, registerDataSet } from '@cxr-lens/prisma';
import type { Engine } from '../engine/engine.ts';

/** Draws phantoms and prepares them below `<CXR_HOME>/data`, going on where an earlier attempt was, and registers the data set. */
export async function phantom({ prisma, engine }: { prisma: PrismaClient; engine: Engine }, job: JobAttempt<'phantom'>): Promise<void> {
  const { name, images, drawnSize, size, seed, prevalence } = job.input;
  const folder = path.join(cxrHome(), 'data', name);
  const out = `${folder}-${size}.cxr`;
  if (!existsSync(out)) {
    const input = { drawn: { folder, images, size: drawnSize, seed, prevalence }, prepared: { out, size } };
    await engine.call('phantom', input, { signal: job.signal, onProgress: job.progress, beforeWrite: job.fence });
  }
  await job.fence();
  const { id } = await registerDataSet(prisma, out);
  await job.write((tx) => tx.job.update({ where: { id: job.jobId }, data: { dataSetId: id } }));
}
