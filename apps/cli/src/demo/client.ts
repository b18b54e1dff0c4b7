import { createJobs, createPrisma, type Jobs, type PrismaClient } from '@cxr-lens/prisma';

/** What the demo asks of its database: rows, and jobs for its worker. */
export interface Client {
  prisma: PrismaClient;
  jobs: Jobs;
}

export async function openClient(url: string): Promise<Client & { close(): Promise<void> }> {
  const prisma = createPrisma(url);
  const jobs = await createJobs({ prisma, url });
  const close = async (): Promise<void> => {
    await jobs.stop();
    await prisma.$disconnect();
  };
  return { prisma, jobs, close };
}
