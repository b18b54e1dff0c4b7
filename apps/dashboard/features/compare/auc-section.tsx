'use client';

import { ChartSection } from '../../charts/chart-section.tsx';
import { ForestPlot } from '../../charts/forest-plot.tsx';
import { Section } from '../../components/page.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { decimal, FEW_CASES } from '../../lib/format.ts';
import { runLabels } from '../../lib/methods.ts';
import { aucGroups, aucSheet, forestRows, leftOut, meanText } from './auc.ts';
import { pointAt } from './curves.ts';
import type { Comparison } from './queries.ts';

/** AUC of all 14 findings: a forest plot with intervals. */
export function AucSection({ comparisons, caption }: { comparisons: readonly Comparison[]; caption: string }) {
  const published = comparisons.some(({ publishedAuc }) => publishedAuc.length > 0);
  const few = comparisons.some(({ runs }) => runs.some(({ auc }) => auc?.reason === FEW_CASES));
  return (
    <ChartSection
      title="Area under the ROC curve"
      note={`Test split; lines are 95 % intervals (DeLong).${few ? ' Few cases: under ten images with the finding or without it, no interval.' : ''}${published ? ' Published values come from other models on real radiographs: for orientation, not for ranking.' : ''}`}
      sheet={aucSheet(comparisons)}
      caption={caption}
    >
      {aucGroups(comparisons).map((group) => (
        <div key={group.note ?? ''} className="not-first:pt-6">
          {group.note && <p className="pb-2 text-small font-semibold">{group.note}</p>}
          <ForestPlot
            title="AUC"
            describe="Area under the ROC curve of each finding and run with its 95 % interval; the table below holds the numbers."
            rows={forestRows(group.comparisons)}
            domain={[0.4, 1]}
            reference={0.5}
            referenceLabel="chance"
          />
        </div>
      ))}
    </ChartSection>
  );
}

/** The same as numbers, with localisation beside it. */
export function AucTable({ comparisons, threshold }: { comparisons: readonly Comparison[]; threshold: number }) {
  const runs = comparisons[0]?.runs ?? [];
  const names = runLabels(runs.map(({ run }) => run));
  // Two columns a run: of many, the intervals stand below their values.
  const below = runs.length > 2;
  const columns: Column<Comparison>[] = [
    { name: 'Finding', cell: ({ finding }) => finding.label },
    {
      name: 'Positives',
      right: true,
      className: 'max-sm:hidden',
      cell: (row) => row.runs.find(({ auc }) => auc)?.auc?.positives ?? '–',
    },
    ...runs.map(({ run }, index): Column<Comparison> => {
      return {
        name: `${names.get(run.id)} AUC`,
        right: true,
        cell: (row) => (
          <Value
            value={row.runs[index]?.auc?.auc}
            low={row.runs[index]?.auc?.low}
            high={row.runs[index]?.auc?.high}
            reason={row.runs[index]?.auc?.reason}
            digits={3}
            below={below}
          />
        ),
      };
    }),
    ...runs.flatMap(({ run }, index): Column<Comparison>[] => {
      if (comparisons.every((row) => !row.runs[index]?.curve)) return [];
      const column: Column<Comparison> = {
        name: `${names.get(run.id)} at T = ${decimal(threshold, 1)}`,
        right: true,
        className: 'max-sm:hidden',
        cell: (row) => {
          const curve = row.runs[index]?.curve;
          const point = curve ? pointAt(curve, threshold) : undefined;
          return <Value value={point?.accuracy} low={point?.low} high={point?.high} digits={2} below={below} />;
        },
      };
      return [column];
    }),
  ];
  return (
    <Section title="In numbers" note="AUC, and localisation accuracy at the crosshair, each with its 95 % interval.">
      <Table
        caption="AUC and localisation accuracy of each finding and run"
        columns={columns}
        rows={comparisons}
        rowKey={({ finding }) => finding.name}
      />
      <p className="pt-2 text-small text-muted">
        {runs
          .flatMap(({ run, evaluation }, index) => (evaluation ? [`${names.get(run.id)}: ${meanText(comparisons, index)}.`] : []))
          .join(' ')}{' '}
        {comparisons[0] && leftOut(comparisons[0])}
      </p>
    </Section>
  );
}

type Known = number | null | undefined;

function Value({
  value,
  low,
  high,
  reason,
  digits,
  below,
}: {
  value: Known;
  low: Known;
  high: Known;
  reason?: string | null | undefined;
  digits: number;
  below: boolean;
}) {
  const few = reason === FEW_CASES;
  const known = typeof low === 'number' && typeof high === 'number';
  return (
    <>
      {decimal(value, digits)}
      <span
        className={`text-small whitespace-nowrap text-muted ${few ? 'max-lg:block' : 'max-lg:hidden'} ${below ? 'block' : 'lg:inline-block lg:min-w-26 lg:pl-2'}`}
      >
        {few ? FEW_CASES : known ? `${decimal(low, digits)} to ${decimal(high, digits)}` : ''}
      </span>
    </>
  );
}
