'use client';

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import Link from 'next/link';
import { CopyButton } from '../../components/copy.tsx';
import { MethodDot, StateMark, SyntheticBadge } from '../../components/marks.tsx';
import { Facts, Page, Section } from '../../components/page.tsx';
import { Command, Empty, ErrorState, Loading, Skeleton } from '../../components/states.tsx';
import { Table } from '../../components/table.tsx';
import { count, dateTime, decimal, duration, jsonText, short } from '../../lib/format.ts';
import { asApiError } from '../../lib/request.ts';
import { useSubscription } from '../../lib/subscribe.ts';
import { JobLog, JobNow } from '../jobs/job-steps.tsx';
import { isOpen } from '../jobs/queries.ts';
import { CurvesOfRun, compareAddress } from './curves-of-run.tsx';
import { JsonView } from './json-view.tsx';
import { FollowRunDocument, type Run, runOptions } from './queries.ts';
import { RunActions } from './run-actions.tsx';
import { TrainingSection } from './training-section.tsx';

const LINK = 'underline decoration-line underline-offset-4 hover:decoration-ink';

export function RunPage({ id }: { id: string }) {
  const queries = useQueryClient();
  const options = runOptions(id);
  const { data, error, refetch } = useQuery(options);
  const run = data?.run;
  useSubscription(FollowRunDocument, run && isLive(run) ? { id } : null, (next) => {
    queries.setQueryData(options.queryKey, { run: next.run });
    // The last message may come before the row about the end is complete.
    if (!isLive(next.run)) void queries.invalidateQueries({ queryKey: options.queryKey });
  });
  if (error && asApiError(error).code !== 'NOT_FOUND') {
    return (
      <Page title="Run">
        <ErrorState error={error} retry={() => void refetch()} />
      </Page>
    );
  }
  if (error || run === null) {
    return (
      <Page title="Run">
        <Empty title="There is no run of this id.">
          <p className="font-mono text-small">{id}</p>
          <Link href="/runs" className={LINK}>
            All runs
          </Link>
        </Empty>
      </Page>
    );
  }
  return run ? <RunView run={run} /> : <RunSkeleton />;
}

function isLive(run: Run): boolean {
  return run.state === 'TRAINING' || (run.job !== null && isOpen(run.job));
}

function RunView({ run }: { run: Run }) {
  return (
    <Page
      title={
        <>
          <MethodDot method={run.method.name} />
          <span className="min-w-0 break-all">{run.name}</span>
        </>
      }
      aside={<RunActions run={run} />}
    >
      <div className="pb-6">
        <Facts items={header(run)} />
      </div>
      {run.error && (
        <p role="alert" className="pb-6 text-danger">
          {run.error}
        </p>
      )}
      {run.exploded && (
        <p role="alert" className="flex max-w-[80ch] items-start gap-2 pb-6 text-danger">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          {run.exploded}
        </p>
      )}
      {run.job && isLive(run) && (
        <div className="max-w-2xl pb-6">
          <JobNow job={run.job} />
        </div>
      )}
      <TrainingSection run={run} />
      <CurvesOfRun run={run} />
      <div className="grid gap-x-10 lg:grid-cols-2">
        <div className="min-w-0">
          <Evaluations run={run} />
          <Options run={run} />
        </div>
        <div className="min-w-0">
          <Section
            title="Repeat it"
            note={run.imported?.trainedHere === false ? 'Imports the same weights again.' : 'Trains the same run again.'}
            aside={<CopyButton text={run.command} />}
          >
            <Command>{run.command}</Command>
          </Section>
          {run.job && (
            <Section title="Log" note="Time of each step.">
              <JobLog job={run.job} />
            </Section>
          )}
        </div>
      </div>
      <Card run={run} />
    </Page>
  );
}

function header(run: Run) {
  const took = run.finishedAt ? duration(Date.parse(run.finishedAt) - Date.parse(run.createdAt)) : null;
  return [
    {
      name: 'Method',
      value: (
        <span title={run.method.description}>
          {run.method.label}
          {run.method.note && <span className="pl-2 text-small text-muted">{run.method.note}</span>}
        </span>
      ),
    },
    ...(run.imported
      ? [{ name: 'Imported weights', value: <span title={`SHA-256 ${run.imported.sourceSha256}`}>{run.imported.network}</span> }]
      : []),
    { name: 'State', value: <StateMark state={run.state} /> },
    { name: 'Preset', value: run.preset },
    {
      name: 'Data set',
      value: run.dataSet ? (
        <>
          {run.dataSet.name} {run.dataSet.synthetic && <SyntheticBadge>trained on phantoms</SyntheticBadge>}
        </>
      ) : run.imported?.trainedHere === false ? (
        'not known: imported'
      ) : (
        'not registered here'
      ),
    },
    { name: 'Seed', value: run.seed },
    ...(run.epsilon === null ? [] : [{ name: 'Epsilon', value: String(run.epsilon) }]),
    ...(run.parent
      ? [
          {
            name: 'Started from',
            value: (
              <Link href={`/runs/${encodeURIComponent(run.parent.id)}`} className={LINK}>
                {run.parent.name}
              </Link>
            ),
          },
        ]
      : []),
    { name: 'Code', value: <span className="font-mono text-small">{short(run.codeVersion, 24)}</span> },
    {
      name: 'Weights',
      value: (
        <span className="font-mono text-small" title={run.weightsSha256 ?? ''}>
          {run.weightsSha256 ? short(run.weightsSha256, 12) : '–'}
        </span>
      ),
    },
    { name: 'Engine', value: run.engine || '–' },
    { name: 'Uploads', value: run.active ? 'explained with it' : 'not explained with it' },
    { name: 'Started', value: `${dateTime(run.createdAt)}${took ? `, took ${took}` : ''}` },
  ];
}

function Evaluations({ run }: { run: Run }) {
  return (
    <Section title="Evaluations">
      {run.evaluations.length === 0 ? (
        <p className="text-muted">
          {run.state === 'FINISHED'
            ? 'None yet. Evaluate it to see its AUC and its curves.'
            : 'None yet: it is evaluated when it has finished.'}
        </p>
      ) : (
        <Table
          caption="Evaluations"
          rows={run.evaluations}
          rowKey={({ id }) => id}
          columns={[
            {
              name: 'Data set',
              cell: ({ dataSet, protocol }) => (
                <Link href={compareAddress(run.id, { dataSet: dataSet?.id ?? null, protocol: protocol.name })} className={LINK}>
                  {dataSet?.name ?? 'not registered here'}
                </Link>
              ),
            },
            { name: 'Protocol', cell: ({ protocol }) => <span title={protocol.description}>{protocol.name}</span> },
            { name: 'Scored images', right: true, className: 'max-sm:hidden', cell: ({ images }) => count(images) },
            ...(run.evaluations.some(({ excludedPatients }) => excludedPatients > 0)
              ? [
                  {
                    name: 'Patients left out',
                    right: true,
                    cell: ({ excludedPatients }: Run['evaluations'][number]) => (
                      <span title="Not scored: the run had trained on them">{count(excludedPatients)}</span>
                    ),
                  },
                ]
              : []),
            { name: 'Mean AUC', right: true, cell: ({ meanAuc }) => decimal(meanAuc, 3) },
            { name: 'Measured', right: true, className: 'max-sm:hidden', cell: ({ createdAt }) => dateTime(createdAt) },
          ]}
        />
      )}
    </Section>
  );
}

function Options({ run }: { run: Run }) {
  const changed = run.options.filter((option) => option.changed);
  const others = run.options.filter((option) => !option.changed);
  return (
    <Section title="Options">
      {changed.length === 0 && <p className="pb-3 text-muted">All options have their defaults.</p>}
      {changed.length > 0 && <OptionTable caption="Options that differ from their defaults" options={changed} />}
      {others.length > 0 && (
        <details className="pt-3">
          <summary className="text-muted hover:text-ink">{others.length} at their defaults</summary>
          <div className="pt-2">
            <OptionTable caption="Options at their defaults" options={others} />
          </div>
        </details>
      )}
    </Section>
  );
}

function OptionTable({ caption, options }: { caption: string; options: Run['options'] }) {
  return (
    <Table
      caption={caption}
      rows={options}
      rowKey={({ name }) => name}
      columns={[
        { name: 'Option', cell: ({ name }) => name },
        { name: 'Value', right: true, cell: ({ value }) => jsonText(value) },
        { name: 'Default', right: true, cell: (option) => <span className="text-muted">{jsonText(option.default)}</span> },
      ]}
    />
  );
}

function Card({ run }: { run: Run }) {
  return (
    <Section title="Card" note="What travels with the weights.">
      {typeof run.card === 'object' && run.card !== null ? (
        <JsonView name="Card" value={run.card as Record<string, unknown>} />
      ) : (
        <p className="text-muted">Written when the run has finished.</p>
      )}
    </Section>
  );
}

function RunSkeleton() {
  return (
    <Page title="Run">
      <Loading what="the run">
        <Skeleton className="mb-6 h-10" />
        <Section title="Training">
          <Skeleton className="h-[276px]" />
        </Section>
        <Skeleton className="h-64" />
      </Loading>
    </Page>
  );
}
