'use client';

import { useQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { useState } from 'react';
import { Button, buttonClass, Slider } from '../../components/controls.tsx';
import { SyntheticBadge } from '../../components/marks.tsx';
import { Page, Section } from '../../components/page.tsx';
import { Command, Empty, ErrorState, Loading, Skeleton } from '../../components/states.tsx';
import { count, decimal, list, plural } from '../../lib/format.ts';
import { UnderWay } from '../jobs/under-way.tsx';
import { AucSection, AucTable } from './auc-section.tsx';
import { CompareBar, evaluatedRuns } from './compare-bar.tsx';
import { CurveDialog } from './curve-dialog.tsx';
import { CurveGridSkeleton } from './curve-grid.tsx';
import { CurveSection } from './curve-section.tsx';
import { type CurveGroup, curveGroups, hasSizes, thresholds } from './curves.ts';
import {
  type Choice,
  type Choices,
  type Comparison,
  type Comparisons,
  type Curves,
  choicesOptions,
  comparisonsOptions,
} from './queries.ts';
import { WhatCanBeSaid } from './said.tsx';
import { type ChangeChoice, useChoice } from './use-choice.ts';

/** On wide screens what is said and the AUC stand beside the curves and the table; else one below the other. */
const GRID =
  '2xl:grid 2xl:grid-cols-[minmax(0,1fr)_minmax(0,600px)] 2xl:grid-rows-[auto_auto_1fr] 2xl:gap-x-10 3xl:grid-cols-[minmax(0,1fr)_minmax(0,760px)]';

const TITLE = 'Compare methods';

export function ComparePage() {
  const { choice, finding, change } = useChoice();
  const choices = useQuery(choicesOptions);
  const comparisons = useQuery(comparisonsOptions({ ...choice, choose: true }));
  const error = choices.error ?? comparisons.error;
  const none = choice.runs?.length === 0;
  return (
    <Page title={TITLE}>
      {error ? (
        <ErrorState error={error} retry={() => void Promise.all([choices.refetch(), comparisons.refetch()])} />
      ) : !choices.data || (!comparisons.data && !none) ? (
        <CompareSkeleton />
      ) : (
        <Compare choices={choices.data} data={none ? undefined : comparisons.data} choice={choice} finding={finding} change={change} />
      )}
    </Page>
  );
}

function Compare({
  choices,
  data,
  choice,
  finding,
  change,
}: {
  choices: Choices;
  /** Undefined where no run is chosen. */
  data: Comparisons | undefined;
  choice: Choice;
  finding: string | null;
  change: ChangeChoice;
}) {
  const [wanted, setWanted] = useState(0.3);
  if (evaluatedRuns(choices, null).length === 0) return <NothingEvaluated trained={choices.runs.edges.length > 0} />;

  const comparisons = data?.comparisons ?? [];
  const protocols = data?.protocols?.map(({ name }) => name) ?? [];
  const [first] = comparisons;
  const runs = choice.runs ?? first?.runs.map(({ run }) => run.id) ?? [];
  const dataSet = choice.dataSet ?? first?.dataSet?.id ?? choices.dataSets[0]?.id ?? null;
  const protocol = choice.protocol ?? first?.protocol.name ?? '';
  const shown = evaluatedRuns(choices, dataSet).filter(({ id, active }) => active || runs.includes(id));
  const published = choice.published ?? first?.dataSet?.synthetic === false;
  const drawn = published ? comparisons : comparisons.map((comparison) => ({ ...comparison, references: [], publishedAuc: [] }));
  const boxed = drawn.filter((comparison) => comparison.finding.boxed);
  const groups = curveGroups(boxed);
  const shownGroups = groups.filter((group) => group.protocol.name === first?.protocol.name);
  const stops = thresholds(shownGroups.flatMap(({ curves }) => curves));
  const threshold = stops.includes(wanted) ? wanted : (stops[0] ?? wanted);
  const caption = first?.dataSet ? `${first.dataSet.name}${first.dataSet.synthetic ? ' (synthetic)' : ''}` : 'Data set not registered';
  const open = (name: string): void => change({ finding: name });
  return (
    <>
      <CompareBar
        choices={choices}
        protocols={known(protocols, choice.protocol)}
        chosen={{ runs, dataSet, protocol, published }}
        shown={shown}
        onChange={change}
      />
      {!first || runs.length === 0 ? (
        <Empty title="No run is chosen.">
          <p>Tick one above: its curves and intervals appear here.</p>
        </Empty>
      ) : (
        <div className={GRID}>
          <div className="min-w-0 2xl:col-start-1 2xl:row-span-2 2xl:row-start-1">
            {shownGroups.length === 0 && <NotMeasured by={protocol} other={protocols[0]} change={change} />}
            {shownGroups.map((group, index) => (
              <CurveSection
                key={group.reason ?? ''}
                group={group}
                title={group.reason ? `Localisation accuracy of ${methodsOf(group)}, apart` : 'Localisation accuracy'}
                note={index === 0 && <Measured comparison={first} sets={group.curves} />}
                caption={caption}
                aside={
                  index === 0 && (
                    <Slider
                      label="T(IoU)"
                      min={0}
                      max={Math.max(stops.length - 1, 1)}
                      step={1}
                      value={stops.indexOf(threshold)}
                      show={decimal(threshold, 1)}
                      onChange={(place) => setWanted(stops[place] ?? wanted)}
                    />
                  )
                }
                {...{ stops, threshold }}
                onThreshold={setWanted}
                onOpen={open}
              />
            ))}
            {groups
              .filter((group) => !shownGroups.includes(group))
              .map((group) => (
                <p key={group.protocol.name} className="flex flex-wrap items-center gap-x-3 pb-6">
                  {group.reason} Drawn apart:
                  <Button onClick={() => change({ protocol: group.protocol.name })}>Show protocol {group.protocol.name}</Button>
                </p>
              ))}
          </div>
          <div className="min-w-0 2xl:col-start-2 2xl:row-start-1">
            <WhatCanBeSaid comparisons={boxed} onOpen={open} />
          </div>
          <div className="min-w-0 2xl:col-start-2 2xl:row-span-2 2xl:row-start-2">
            <AucSection comparisons={drawn} caption={`${caption}. CXR Lens`} />
          </div>
          <div className="min-w-0 2xl:col-start-1 2xl:row-start-3">
            <AucTable comparisons={comparisons} threshold={threshold} />
          </div>
        </div>
      )}
      <CurveDialog
        comparison={boxed.find((comparison) => comparison.finding.name === finding)}
        groups={shownGroups}
        {...{ caption, stops, threshold }}
        onThreshold={setWanted}
        onClose={() => change({ finding: null })}
      />
    </>
  );
}

/** The protocols to choose from; one that the address names and no run has stands among them. */
function known(protocols: readonly string[], asked: string | null): readonly string[] {
  return asked === null || protocols.includes(asked) ? protocols : [...protocols, asked];
}

function methodsOf({ curves }: CurveGroup): string {
  return list([...new Set(curves.flatMap(({ runs }) => runs.map(({ run }) => run.method.label)))]);
}

function NotMeasured({ by, other, change }: { by: string; other: string | undefined; change: ChangeChoice }) {
  return (
    <Empty title={`None of these runs was measured by protocol ${by}.`}>
      {other && other !== by && <Button onClick={() => change({ protocol: null })}>Show protocol {other}</Button>}
    </Empty>
  );
}

/** On what, and what the bands are: said once. */
function Measured({ comparison: { dataSet }, sets }: { comparison: Comparison; sets: readonly Curves[] }) {
  return (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      {dataSet?.synthetic && <SyntheticBadge>measured on phantoms</SyntheticBadge>}
      {dataSet && (
        <span>
          {dataSet.name}: {plural(dataSet.testImages, 'test image')}, {count(dataSet.boxedPairs)} boxed pairs.
        </span>
      )}
      <span>
        Bands: 95 % intervals over patients (bootstrap; Wilson where fewer than five pairs hit or miss). Thin grey: controls
        {sets.some(hasSizes) && ', n² of maps of n × n'}.
        {sets.some(({ references }) => references.length > 0) && ' Dashed: published, on other images.'}
      </span>
    </span>
  );
}

function NothingEvaluated({ trained }: { trained: boolean }) {
  return (
    <UnderWay say={<p>Runs are compared here when they have been trained and measured.</p>}>
      <Empty title={trained ? 'No run has been evaluated yet.' : 'No run has been trained yet.'}>
        <p>
          {trained
            ? 'Open a finished run and evaluate it; its curves and intervals appear here.'
            : 'Train the Baseline, then Robust from it, and evaluate both; the demo does all of it on phantoms.'}
        </p>
        {!trained && <Command>npm run demo</Command>}
        <Link href="/runs" className={buttonClass('primary')}>
          Go to the runs
        </Link>
      </Empty>
    </UnderWay>
  );
}

/** The page before the address is known. */
export function ComparePageSkeleton() {
  return (
    <Page title={TITLE}>
      <CompareSkeleton />
    </Page>
  );
}

function CompareSkeleton() {
  return (
    <Loading what="the comparison">
      <Skeleton className="mb-4 h-8 w-full max-w-xl" />
      <div className={GRID}>
        <Section title="Localisation accuracy">
          <CurveGridSkeleton />
        </Section>
        <Section title="Area under the ROC curve">
          <Skeleton className="h-[430px]" />
        </Section>
      </div>
    </Loading>
  );
}
