'use client';

import { useQuery, useQueryClient } from '@tanstack/react-query';
import Link from 'next/link';
import { type ReactNode, useEffect, useRef } from 'react';
import { Empty } from '../../components/states.tsx';
import { list } from '../../lib/format.ts';
import { JobNow } from './job-steps.tsx';
import { isOpen, type Job, jobsOptions, PAGE } from './queries.ts';

/** The jobs that an empty page waits for, in their order. */
const AWAITED = ['PHANTOM', 'TRAIN', 'EVALUATE'] as const;

const TITLES = {
  PHANTOM: 'The radiographs are being drawn.',
  TRAIN: 'A run is being trained.',
  EVALUATE: 'Runs are being measured.',
} as const;

/** The open job that an empty page waits for: a running one before one that waits. */
export function awaitedJob(jobs: readonly Job[], kinds: readonly Job['kind'][] = AWAITED): Job | undefined {
  const open = jobs.filter((job) => isOpen(job) && kinds.includes(job.kind));
  return open.find(({ state }) => state === 'RUNNING') ?? open.at(-1);
}

/** An empty page, while a job is under way that will fill it: the job, live; else `children`. It reads everything anew when that job ends. */
export function UnderWay({ kinds = AWAITED, say, children }: { kinds?: readonly Job['kind'][]; say: ReactNode; children: ReactNode }) {
  const queries = useQueryClient();
  const { data } = useQuery(jobsOptions(PAGE));
  const job = awaitedJob(data?.jobs.edges.map(({ node }) => node) ?? [], kinds);
  const id = job?.id ?? null;
  const before = useRef(id);
  useEffect(() => {
    if (before.current === id) return;
    before.current = id;
    // The list of jobs looks after itself.
    void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'jobs' });
  }, [queries, id]);
  if (!job) return children;
  return (
    <Empty title={TITLES[job.kind as keyof typeof TITLES]}>
      {say}
      <div className="w-full">
        <JobNow job={job} />
      </div>
      <Link href={job.run ? `/runs/${encodeURIComponent(job.run.id)}` : '/jobs'} className="underline">
        {job.runs.length > 0 ? list(job.runs.map(({ name }) => name)) : 'All jobs'}
      </Link>
    </Empty>
  );
}
