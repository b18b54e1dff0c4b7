import { createJobs, createPrisma, type Jobs, type Prisma, type PrismaClient } from '@cxr-lens/prisma';

/** What the demo asks of its database: rows, and jobs for its worker. */
export interface Client {
  prisma: PrismaClient;
  jobs: Jobs;
}

/** Of a job that is not at its end. */
export const OPEN = { in: ['QUEUED', 'RUNNING'] } satisfies Prisma.JobWhereInput['state'];

export async function openClient(url: string): Promise<Client & { close(): Promise<void> }> {
  const prisma = createPrisma(url);
  const jobs = await createJobs({ prisma, url });
  const close = async (): Promise<void> => {
    await jobs.stop();
    await prisma.$disconnect();
  };
  return { prisma, jobs, close };
}
