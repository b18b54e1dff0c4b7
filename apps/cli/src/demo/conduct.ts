import { setTimeout as sleep } from 'node:timers/promises';
import { CxrError, throwIfCancelled } from '@cxr-lens/data';
import { isResumable, type Job, patiently } from '@cxr-lens/prisma';
import { stderrProgress } from '../output.ts';
import type { Client } from './client.ts';
import type { Step } from './science.ts';

const LOOK_EVERY_MS = 500;

export interface ConductOptions {
  client: Client;
  signal: AbortSignal;
  say: (line: string) => void;
}

/** Takes the steps that are not done, one after another, and resolves when what follows them has ended too. CxrError CANCELLED. */
export async function conduct(steps: readonly Step[], options: ConductOptions): Promise<void> {
  const { signal, say } = options;
  const open: Step[] = [];
  const afterwards: Promise<void>[] = [];
  for (const step of steps) {
    if (await patiently(() => step.done())) afterwards.push(step.after(signal));
    else open.push(step);
  }
  const doAll = async (): Promise<void> => {
    for (const [index, step] of open.entries()) {
      const title = `[${index + 1}/${open.length}] ${step.title}`;
      const started = Date.now();
      say(`${title} ...`);
      await follow(step, options);
      const words = step.says();
      say(`${title}: ${((Date.now() - started) / 1000).toFixed(0)} s${words ? `; ${words}` : ''}`);
      afterwards.push(step.after(signal));
    }
  };
  const all = doAll();
  await all;
  await Promise.all(afterwards);
}

/** Queues what does the step, unless it is under way, and waits until it is done, whoever does it. */
async function follow(step: Step, { client, signal, say }: ConductOptions): Promise<void> {
  const progress = stderrProgress();
  let job = await patiently(() => begin(step, client));
  let told = false;
  for (;;) {
    const ended = job.state === 'DONE';
    if (await patiently(() => step.done())) return;
    if (ended) throw new CxrError('INTERNAL', `${step.title}: job ${job.id} is done, but what it should have left is not there.`);
    if (job.state === 'RUNNING' && job.progressWhat) {
      const words = step.says();
      const what = words ? `${job.progressWhat} (${words})` : job.progressWhat;
      progress({ what, done: job.progressDone ?? 0, total: job.progressTotal ?? 0 });
    }
    if (!told && (job.state === 'FAILED' || job.state === 'CANCELLED')) {
      const reason = job.errorMessage ? `failed: ${job.errorMessage}` : 'was cancelled';
      say(`${step.title} ${reason}\nIt goes on when it is resumed on the page of jobs, or when the demo is started again.`);
    }
    told = job.state === 'FAILED' || job.state === 'CANCELLED';
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    throwIfCancelled(signal, 'The demo');
    job = (await patiently(() => step.job())) ?? job;
  }
}

/** The job that does the step: the one under way, the one that failed or was cancelled taken up again, or a new one. */
async function begin(step: Step, { jobs }: Client): Promise<Job> {
  const job = await step.job();
  if (job?.state === 'QUEUED' || job?.state === 'RUNNING') return job;
  return job && isResumable(job) ? jobs.resume(job.id) : step.queue();
}
