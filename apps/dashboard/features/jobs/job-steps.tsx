'use client';

import { useEffect, useState } from 'react';
import { ProgressBar, StateMark } from '../../components/marks.tsx';
import { count, duration } from '../../lib/format.ts';
import { remedy } from '../../lib/request.ts';
import { isOpen, type Job } from './queries.ts';
import { timeLeft } from './time-left.ts';

/** The time now, every second while `on`; null before the page runs in a browser. */
export function useNow(on: boolean): number | null {
  const [now, setNow] = useState<number | null>(null);
  useEffect(() => {
    setNow(Date.now());
    if (!on) return;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [on]);
  return now;
}

/** How long the job has run, or waited when it has not started. */
export function elapsed(job: Pick<Job, 'createdAt' | 'startedAt' | 'finishedAt'>, now: number): number {
  const from = Date.parse(job.startedAt ?? job.createdAt);
  return (job.finishedAt ? Date.parse(job.finishedAt) : now) - from;
}

/** What the job does now, how far it has come, and how long it has taken. */
export function JobNow({ job }: { job: Job }) {
  const now = useNow(isOpen(job));
  const { progress } = job;
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <p className="flex flex-wrap items-center justify-between gap-x-4">
        <span className="flex flex-wrap items-center gap-x-3">
          <StateMark state={job.state} />
          {isOpen(job) && progress && <span>{progress.what}</span>}
          {isOpen(job) && progress && progress.total > 0 && (
            <span className="text-muted">
              {count(progress.done)} of {count(progress.total)}
            </span>
          )}
        </span>
        <span className="text-muted">{now === null ? '' : duration(elapsed(job, now))}</span>
      </p>
      {isOpen(job) && (
        <ProgressBar label={progress?.what ?? 'Waiting for a worker'} done={progress?.done ?? 0} total={progress?.total ?? 0} />
      )}
      <TimeLeft job={job} />
      {job.error && <JobFailure error={job.error} />}
    </div>
  );
}

/** Of a training that runs: how long it goes on, and what ends it. */
export function TimeLeft({ job }: { job: Pick<Job, 'kind' | 'state' | 'run' | 'events'> }) {
  const now = useNow(job.state === 'RUNNING');
  const said = now === null ? null : timeLeft(job, now);
  return said && <p className="text-muted">{said}</p>;
}

export function JobFailure({ error }: { error: NonNullable<Job['error']> }) {
  return (
    <p>
      <span className="text-danger">{error.message}</span> <span className="text-muted">{remedy(error.code)}</span>{' '}
      <span className="font-mono text-small text-muted">{error.code}</span>
    </p>
  );
}

/** The steps that the job has reported, each with the time since the one before. */
export function JobLog({ job }: { job: Job }) {
  const start = Date.parse(job.createdAt);
  if (job.events.length === 0) return <p className="text-muted">Nothing has been reported yet.</p>;
  return (
    <ol className="flex flex-col gap-1">
      {job.events.map(({ at, message }, index) => (
        <li key={`${at} ${message}`} className="flex gap-4">
          <span className="w-20 shrink-0 text-right text-muted">
            {duration(Date.parse(at) - (index === 0 ? start : Date.parse(job.events[index - 1]!.at)))}
          </span>
          <span className="min-w-0">{message}</span>
        </li>
      ))}
    </ol>
  );
}
