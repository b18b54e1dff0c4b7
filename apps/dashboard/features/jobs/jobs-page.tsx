'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import Link from 'next/link';
import { useState } from 'react';
import { Button } from '../../components/controls.tsx';
import { ProgressBar, StateMark } from '../../components/marks.tsx';
import { Page } from '../../components/page.tsx';
import { Empty, ErrorState, InlineError, Loading, Skeleton } from '../../components/states.tsx';
import { Table } from '../../components/table.tsx';
import { count, dateTime, duration, list, plural } from '../../lib/format.ts';
import { UploadButton } from '../upload/upload-area.tsx';
import { elapsed, JobFailure, TimeLeft, useNow } from './job-steps.tsx';
import { cancelJob, isOpen, type Job, jobsOptions, PAGE, resumeJob } from './queries.ts';

const KINDS = { PHANTOM: 'Draw', TRAIN: 'Train', SWEEP: 'Sweep', EVALUATE: 'Evaluate', EXPLAIN: 'Explain' } as const;

export function JobsPage() {
  const [first, setFirst] = useState(PAGE);
  const { data, error, refetch } = useQuery(jobsOptions(first));
  return (
    <Page title="Jobs" aside={data && <span className="text-muted">{plural(data.jobs.totalCount, 'job')}</span>}>
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Loading what="jobs">
          <Skeleton className="h-96" />
        </Loading>
      ) : data.jobs.edges.length === 0 ? (
        <Empty title="No job yet.">
          <p>Training, evaluating and explaining run as jobs. Upload a radiograph to start one, or train a run.</p>
          <div className="flex gap-2">
            <UploadButton look="primary" />
            <Link href="/runs" className="inline-flex h-8 items-center px-3 underline">
              Go to the runs
            </Link>
          </div>
        </Empty>
      ) : (
        <>
          <JobTable jobs={data.jobs.edges.map(({ node }) => node)} />
          {data.jobs.pageInfo.hasNextPage && (
            <Button className="mt-4" disabled={first >= 100} onClick={() => setFirst(100)}>
              Show more
            </Button>
          )}
        </>
      )}
    </Page>
  );
}

function JobTable({ jobs }: { jobs: readonly Job[] }) {
  const queries = useQueryClient();
  const now = useNow(jobs.some(isOpen));
  const onSettled = () => queries.invalidateQueries({ queryKey: ['jobs'] });
  const cancel = useMutation({ mutationFn: cancelJob, onSettled });
  const resume = useMutation({ mutationFn: resumeJob, onSettled });
  return (
    <>
      <InlineError error={cancel.error ?? resume.error} />
      <Table
        caption="Jobs, newest first"
        rows={jobs}
        rowKey={({ id }) => id}
        columns={[
          {
            name: 'Job',
            className: 'min-w-40',
            cell: (job) => (
              <span className="flex flex-wrap gap-x-3">
                <span className="w-16">{KINDS[job.kind]}</span>
                <Subject job={job} />
              </span>
            ),
          },
          { name: 'State', className: 'sm:w-2/5', cell: (job) => <Now job={job} /> },
          {
            name: 'Started',
            className: 'whitespace-nowrap max-md:hidden',
            cell: ({ startedAt, createdAt }) => dateTime(startedAt ?? createdAt),
          },
          {
            name: 'Time',
            right: true,
            className: 'max-sm:hidden',
            cell: (job) => (now === null || !job.startedAt ? '–' : duration(elapsed(job, now))),
          },
          {
            name: 'Action',
            right: true,
            className: 'w-0',
            cell: (job) => {
              const what = `${KINDS[job.kind]} ${list(job.runs.map(({ name }) => name))}`;
              if (isOpen(job)) {
                return (
                  <Button look="quiet" aria-label={`Cancel ${what}`} onClick={() => cancel.mutate(job.id)}>
                    Cancel
                  </Button>
                );
              }
              return (
                job.resumable && (
                  <Button look="quiet" aria-label={`Resume ${what}`} onClick={() => resume.mutate(job.id)}>
                    Resume
                  </Button>
                )
              );
            },
          },
        ]}
      />
    </>
  );
}

const LINK = 'underline decoration-line underline-offset-4 hover:decoration-ink break-all';

function Subject({ job }: { job: Job }) {
  if (job.image) {
    return (
      <Link href={`/studies/${encodeURIComponent(job.image.study.id)}`} className={LINK}>
        {job.image.fileName ?? 'Image'}
      </Link>
    );
  }
  if (job.kind === 'PHANTOM') return <span>Synthetic radiographs</span>;
  if (job.runs.length === 0) return <span className="text-muted">deleted</span>;
  return (
    <span className="flex min-w-0 flex-wrap gap-x-3">
      {job.runs.map(({ id, name }) => (
        <Link key={id} href={`/runs/${encodeURIComponent(id)}`} className={LINK}>
          {name}
        </Link>
      ))}
    </span>
  );
}

function Now({ job }: { job: Job }) {
  const { progress } = job;
  return (
    <div className="flex min-w-28 flex-col gap-1">
      <span className="flex flex-wrap gap-x-3">
        <StateMark state={job.state} />
        {isOpen(job) && progress && (
          <span className="text-muted max-sm:hidden">
            {progress.what}, {count(progress.done)} of {count(progress.total)}
          </span>
        )}
      </span>
      {isOpen(job) && progress && <ProgressBar label={progress.what} done={progress.done} total={progress.total} />}
      <div className="max-sm:hidden">
        <TimeLeft job={job} />
      </div>
      {job.error && <JobFailure error={job.error} />}
      {job.parts.length > 0 && <Parts parts={job.parts} />}
    </div>
  );
}

/** The trainings of a sweep, each with its run. */
function Parts({ parts }: { parts: Job['parts'] }) {
  return (
    <ul aria-label="Runs of the sweep" className="flex flex-col gap-1">
      {parts.map(({ id, state, progress, run }) => (
        <li key={id} className="grid grid-cols-[3rem_1fr] gap-x-3 sm:grid-cols-[7rem_1fr]">
          {run && (
            <Link href={`/runs/${encodeURIComponent(run.id)}`} className={LINK}>
              <span className="max-sm:sr-only">epsilon </span>
              {run.epsilon}
            </Link>
          )}
          <span className="flex flex-wrap gap-x-3">
            <StateMark state={state} />
            {state === 'RUNNING' && progress && (
              <span className="text-muted max-sm:hidden">
                {progress.what}, {count(progress.done)} of {count(progress.total)}
              </span>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
