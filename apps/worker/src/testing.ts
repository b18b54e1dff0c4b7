import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prepare, writePhantom } from '@cxr-lens/data';
import {
  createJobs,
  type DataSet,
  type Job,
  type JobRequest,
  type Jobs,
  registerDataSet,
  type TestDatabase,
  testDatabase,
} from '@cxr-lens/prisma';
import { expect } from 'vitest';

/** A database, a CXR_HOME and a small prepared phantom of a test file's own. */
export interface World {
  database: TestDatabase;
  jobs: Jobs;
  home: string;
  /** The phantom in NIH format. */
  phantom: string;
  dataSet: DataSet;
  /** The row as it is now. */
  job(id: string): Promise<Job>;
  /** Waits until the job is in this state; fails when it ends in another. */
  until(id: string, state: Job['state'], timeoutMs?: number): Promise<Job>;
  messages(id: string): Promise<string[]>;
  end(): Promise<void>;
}

const ENDED: readonly Job['state'][] = ['DONE', 'FAILED', 'CANCELLED'];

export async function createWorld({ images = 160 } = {}): Promise<World> {
  const database = await testDatabase();
  const { prisma, url } = database;
  const home = mkdtempSync(path.join(tmpdir(), 'cxr-lens-worker-'));
  process.env['CXR_HOME'] = home;
  const phantom = path.join(home, 'data/phantom');
  await writePhantom({ folder: phantom, images, seed: 3, size: 128 });
  const prepared = await prepare({ folder: phantom, out: path.join(home, 'data/phantom-96.cxr'), size: 96 });
  const dataSet = await registerDataSet(prisma, prepared.path);
  const jobs = await createJobs({ prisma, url });

  const job = (id: string): Promise<Job> => prisma.job.findUniqueOrThrow({ where: { id } });
  async function until(id: string, state: Job['state'], timeoutMs = 60_000): Promise<Job> {
    const settled = async (): Promise<string> => {
      const row = await job(id);
      return ENDED.includes(row.state) && row.state !== state ? `${row.state} ${row.errorMessage}` : row.state;
    };
    await expect.poll(async () => [state, ...ENDED].includes((await job(id)).state), { timeout: timeoutMs, interval: 50 }).toBe(true);
    expect(await settled()).toBe(state);
    return job(id);
  }
  async function messages(id: string): Promise<string[]> {
    return (await prisma.jobEvent.findMany({ where: { jobId: id }, orderBy: { id: 'asc' } })).map(({ message }) => message);
  }
  async function end(): Promise<void> {
    await jobs.stop();
    await database.drop();
    rmSync(home, { recursive: true, force: true });
  }
  return { database, jobs, home, phantom, dataSet, job, until, messages, end };
}

/** A training of the small Baseline. */
export function baseline(dataSet: DataSet, options: JobRequest<'train'>['options']): JobRequest<'train'> {
  return { runId: `baseline-${randomUUID()}`, name: 'Test', method: 'baseline', preset: 'small', dataSetId: dataSet.id, options };
}
