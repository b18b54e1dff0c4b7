import { randomUUID } from 'node:crypto';
import { CxrError } from '@cxr-lens/data';
import { type PresetName, sweepOptions } from '@cxr-lens/model/spec';
import type { Job, JobState, Prisma } from '../../generated/client/client.ts';
import { createJobRow, findFinishedRuns, readJobInput } from './enqueue.ts';
import { hasEnded, lockJob } from './row.ts';

type Tx = Prisma.TransactionClient;

export interface SweepRequest {
  /** The run folders are `<id>-<epsilon>`. */
  id: string;
  /** What people call it; the runs are called `<name> <epsilon>`. */
  name: string;
  /** The converged Baseline: its preset and data set are those of every run. */
  fromRunId: string;
  /** In pixels of [0, 1]. */
  epsilons: readonly number[];
  /** Options of all runs, as of a training. */
  options: Record<string, unknown>;
}

/**
 * The rows of a sweep and of its trainings, one per epsilon. Nobody works on the sweep itself: it is what its trainings make it.
 * CxrError NOT_FOUND or BAD_INPUT before a row is written.
 */
export async function createSweepRows(tx: Tx, request: SweepRequest): Promise<{ sweep: Job; parts: Job[] }> {
  const { id, name, fromRunId, epsilons } = request;
  const each = sweepOptions(epsilons, request.options);
  const [baseline] = await findFinishedRuns(tx, [fromRunId]);
  const { dataSetId } = baseline!;
  if (!dataSetId) throw new CxrError('BAD_INPUT', `The data set of run ${fromRunId} is not registered here: register its prepared file.`);
  const preset = baseline!.preset as PresetName;
  const input = { fromRunId, name, epsilons: [...epsilons], options: request.options as Prisma.InputJsonObject };
  const sweep = await tx.job.create({
    data: { id: randomUUID(), kind: 'SWEEP', input, runId: fromRunId, dataSetId, events: { create: { message: 'Queued' } } },
  });
  const parts: Job[] = [];
  for (const options of each) {
    const run = { runId: `${id}-${options.epsilon}`, name: `${name} ${options.epsilon}` };
    const training = { ...run, method: 'robust', preset, dataSetId, fromRunId, options };
    parts.push(await createJobRow(tx, 'train', training, sweep.id));
  }
  return { sweep: await tx.job.update({ where: { id: sweep.id }, data: progressOf(parts) }), parts };
}

/** Changes the row of a job, which is locked by now, and tells its events and its sweep. */
export async function changeJob(tx: Tx, id: string, { data, message }: { data: Prisma.JobUpdateInput; message: string }): Promise<Job> {
  const changed = await tx.job.update({ where: { id }, data: { ...data, events: { create: { message } } } });
  await followPart(tx, changed, message);
  return changed;
}

/** Brings the sweep of a training up to date with it and with the others; any other job has none. */
async function followPart(tx: Tx, part: Job, message: string): Promise<void> {
  if (!part.sweepId) return;
  const sweep = await lockJob(tx, part.sweepId);
  if (!sweep) return;
  const parts = await tx.job.findMany({ where: { sweepId: sweep.id }, orderBy: { id: 'asc' } });
  const state = sweepState(parts.map((each) => each.state));
  const ended = hasEnded({ state });
  const failed = parts.filter((each) => each.state === 'FAILED');
  const messages = [`Epsilon ${epsilonOf(part)}: ${message}`, ...(ended && state !== sweep.state ? [WORDS[state]] : [])];
  await tx.job.update({
    where: { id: sweep.id },
    data: {
      state,
      ...progressOf(parts),
      startedAt: sweep.startedAt ?? part.startedAt,
      finishedAt: ended ? new Date() : null,
      errorCode: state === 'FAILED' ? failed[0]!.errorCode : null,
      errorMessage: state === 'FAILED' ? failed.map((each) => `Epsilon ${epsilonOf(each)}: ${each.errorMessage}`).join(' ') : null,
      events: { create: messages.map((text) => ({ message: text })) },
    },
  });
}

const WORDS: Record<JobState, string> = { QUEUED: 'Queued', RUNNING: 'Started', DONE: 'Done', FAILED: 'Failed', CANCELLED: 'Cancelled' };

/** It goes on while one training does; it has failed or was cancelled when one of them did not end well. */
function sweepState(parts: readonly JobState[]): JobState {
  if (parts.every((state) => state === 'QUEUED')) return 'QUEUED';
  if (parts.some((state) => !hasEnded({ state }))) return 'RUNNING';
  return (['FAILED', 'CANCELLED'] as const).find((state) => parts.includes(state)) ?? 'DONE';
}

function progressOf(parts: readonly Job[]) {
  const done = parts.filter(({ state }) => state === 'DONE').length;
  return { progressWhat: 'Runs trained', progressDone: done, progressTotal: parts.length };
}

const epsilonOf = (part: Job): number => readJobInput('train', part).options.epsilon;
