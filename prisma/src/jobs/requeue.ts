import { fromPrisma, PgBoss } from 'pg-boss';
import type { PrismaClient } from '../../generated/client/client.ts';
import { directUrl } from '../client.ts';
import { JOB_KINDS, JOB_NAMES } from './inputs.ts';
import { changeJob } from './sweep.ts';

/** Puts every job that had not ended into the queue anew, in a database whose queue is empty. Returns how many. */
export async function requeueOpenJobs(prisma: PrismaClient, url: string): Promise<number> {
  const open = await prisma.job.findMany({
    where: { state: { in: ['QUEUED', 'RUNNING'] }, kind: { not: 'SWEEP' } },
    orderBy: { createdAt: 'asc' },
  });
  if (open.length === 0) return 0;
  const boss = new PgBoss({ connectionString: directUrl(url), supervise: false, schedule: false, registerInstance: false, max: 2 });
  boss.on('error', () => undefined);
  await boss.start();
  try {
    for (const { id, kind } of open) {
      const queue = JOB_NAMES.find((name) => JOB_KINDS[name] === kind)!;
      await prisma.$transaction(async (tx) => {
        await changeJob(tx, id, { message: 'Restored from a backup', data: { state: 'QUEUED', attempt: 0 } });
        await boss.send(queue, {}, { id, db: fromPrisma(tx) });
      });
    }
  } finally {
    await boss.stop({ graceful: false });
  }
  return open.length;
}
