'use client';

import { useQuery } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { Section } from '../../components/page.tsx';
import { ErrorState, Loading } from '../../components/states.tsx';
import { plural } from '../../lib/format.ts';
import { CurveGridSkeleton } from '../compare/curve-grid.tsx';
import { CurveSection } from '../compare/curve-section.tsx';
import { curveGroups, thresholds } from '../compare/curves.ts';
import { comparisonsOptions } from '../compare/queries.ts';
import type { Run } from './queries.ts';

type Evaluation = Run['evaluations'][number];

/** How well the run locates on the data that it was measured on last, once a protocol; a data set that is not registered has no curves to ask for. */
export function CurvesOfRun({ run }: { run: Run }) {
  const newest = run.evaluations.find(({ dataSet }) => dataSet !== null)?.dataSet?.id;
  return run.evaluations
    .filter(({ dataSet }) => dataSet !== null && dataSet.id === newest)
    .map((evaluation) => <Curves key={evaluation.id} run={run} evaluation={evaluation} />);
}

function Curves({ run, evaluation: { dataSet, protocol, excludedPatients } }: { run: Run; evaluation: Evaluation }) {
  const router = useRouter();
  const [wanted, setWanted] = useState(0.3);
  const chosen = { dataSet: dataSet?.id ?? null, protocol: protocol.name };
  const { data, error, refetch } = useQuery(comparisonsOptions({ runs: [run.id], ...chosen, choose: false }));
  const title = `Localisation accuracy, protocol ${protocol.name}`;
  if (error) {
    return (
      <Section title={title}>
        <ErrorState error={error} retry={() => void refetch()} />
      </Section>
    );
  }
  if (!data) {
    return (
      <Section title={title}>
        <Loading what="the curves">
          <CurveGridSkeleton />
        </Loading>
      </Section>
    );
  }
  // What others published is of real images: beside phantoms it would say nothing.
  const comparisons = data.comparisons.map((one) => (dataSet?.synthetic ? { ...one, references: [] } : one));
  const [group] = curveGroups(comparisons);
  if (!group) return null;
  const stops = thresholds(group.curves);
  const threshold = stops.includes(wanted) ? wanted : (stops[0] ?? wanted);
  return (
    <CurveSection
      group={group}
      title={title}
      note={excludedPatients > 0 && `${plural(excludedPatients, 'patient')} of the test split not scored: it had trained on them.`}
      caption={`${run.name}, ${run.method.label}, ${dataSet?.name ?? ''}`}
      {...{ stops, threshold }}
      onThreshold={setWanted}
      onOpen={(finding) => router.push(compareAddress(run.id, { ...chosen, finding }))}
    />
  );
}

/** The compare page with this run alone. */
export function compareAddress(run: string, choice: { dataSet: string | null; protocol: string; finding?: string }): string {
  const given = Object.entries({ runs: run, ...choice }).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return `/?${new URLSearchParams(given)}`;
}
