'use client';

import { useQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { useState } from 'react';
import { Button } from '../../components/controls.tsx';
import { ExplodedMark, MethodDot, StateMark, SyntheticBadge } from '../../components/marks.tsx';
import { Page } from '../../components/page.tsx';
import { Command, Empty, ErrorState, Loading, Skeleton } from '../../components/states.tsx';
import { Table } from '../../components/table.tsx';
import { dateTime, decimal, plural } from '../../lib/format.ts';
import { UnderWay } from '../jobs/under-way.tsx';
import { type RunRow, runsOptions } from './queries.ts';
import { TrainDialog } from './train-dialog.tsx';

export function RunsPage() {
  const [first, setFirst] = useState(50);
  const [training, setTraining] = useState(false);
  const { data, error, refetch } = useQuery(runsOptions(first));
  return (
    <Page
      title="Runs"
      aside={
        <>
          {data && <span className="pr-2 text-muted">{plural(data.runs.totalCount, 'run')}</span>}
          <Button look="primary" onClick={() => setTraining(true)}>
            Train a run
          </Button>
        </>
      }
    >
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Loading what="runs">
          <Skeleton className="h-96" />
        </Loading>
      ) : data.runs.edges.length === 0 ? (
        <UnderWay kinds={['PHANTOM']} say={<p>A run is one trained model. Training begins when the radiographs are drawn and prepared.</p>}>
          <Empty title="No run yet.">
            <p>
              A run is one trained model. Train one here, register a folder that was trained on the command line, or let the demo make four.
            </p>
            <Command>npm run demo</Command>
          </Empty>
        </UnderWay>
      ) : (
        <>
          <RunTable runs={data.runs.edges.map(({ node }) => node)} />
          {data.runs.pageInfo.hasNextPage && first < 100 && (
            <Button className="mt-4" onClick={() => setFirst(100)}>
              Show more
            </Button>
          )}
        </>
      )}
      <TrainDialog open={training} onClose={() => setTraining(false)} />
    </Page>
  );
}

function RunTable({ runs }: { runs: readonly RunRow[] }) {
  return (
    <Table
      caption="Runs, newest first"
      rows={runs}
      rowKey={({ id }) => id}
      columns={[
        {
          name: 'Run',
          className: 'min-w-36',
          cell: ({ id, name, active, exploded, method }) => (
            <span className="flex min-w-0 flex-wrap items-center gap-x-2">
              <MethodDot method={method.name} />
              <Link
                href={`/runs/${encodeURIComponent(id)}`}
                className="break-all underline decoration-line underline-offset-4 hover:decoration-ink"
              >
                {name}
              </Link>
              <span className="text-small text-muted sm:hidden">{method.label}</span>
              {active && <span className="text-small text-muted">in use</span>}
              {exploded && <ExplodedMark sentence={exploded} />}
            </span>
          ),
        },
        { name: 'Method', className: 'max-sm:hidden', cell: ({ method }) => method.label },
        { name: 'State', cell: ({ state }) => <StateMark state={state} /> },
        {
          name: 'Data set',
          className: 'max-md:hidden',
          cell: ({ dataSet }) =>
            dataSet && (
              <span className="flex flex-wrap items-center gap-2">
                {dataSet.name} {dataSet.synthetic && <SyntheticBadge />}
              </span>
            ),
        },
        { name: 'Preset', className: 'max-lg:hidden', cell: ({ preset }) => preset },
        { name: 'Seed', right: true, className: 'max-lg:hidden', cell: ({ seed }) => seed },
        { name: 'Epsilon', right: true, className: 'max-lg:hidden', cell: ({ epsilon }) => (epsilon === null ? '–' : String(epsilon)) },
        { name: 'Mean AUC', right: true, cell: (run) => decimal(newest(run)?.meanAuc, 3) },
        { name: 'Started', right: true, className: 'max-md:hidden', cell: ({ createdAt }) => dateTime(createdAt) },
      ]}
    />
  );
}

/** The newest evaluation: what the list shows. */
function newest({ evaluations }: RunRow): RunRow['evaluations'][number] | undefined {
  return evaluations.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))[0];
}
