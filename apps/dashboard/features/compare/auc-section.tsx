'use client';

import { ChartSection } from '../../charts/chart-section.tsx';
import { ForestPlot } from '../../charts/forest-plot.tsx';
import { Section } from '../../components/page.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { decimal } from '../../lib/format.ts';
import { runLabels } from '../../lib/methods.ts';
import { aucSheet, forestRows } from './auc.ts';
import type { Comparison } from './queries.ts';

/** AUC of all 14 findings: a forest plot with intervals. */
export function AucSection({ comparisons, caption }: { comparisons: readonly Comparison[]; caption: string }) {
  const published = comparisons.some(({ publishedAuc }) => publishedAuc.length > 0);
  return (
    <ChartSection
      title="Area under the ROC curve"
      note={`Test split; lines are 95 % intervals (DeLong).${published ? ' Published values come from other models on real radiographs: for orientation, not for ranking.' : ''}`}
      sheet={aucSheet(comparisons)}
      caption={caption}
    >
      <ForestPlot
        title="AUC"
        describe="Area under the ROC curve of each finding and run with its 95 % interval; the table below holds the numbers."
        rows={forestRows(comparisons)}
        domain={[0.4, 1]}
        reference={0.5}
        referenceLabel="chance"
      />
    </ChartSection>
  );
}

/** The same as numbers, with localisation beside it. */
export function AucTable({ comparisons, threshold }: { comparisons: readonly Comparison[]; threshold: number }) {
  const runs = comparisons[0]?.runs ?? [];
  const names = runLabels(runs.map(({ run }) => run));
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
          <Value value={row.runs[index]?.auc?.auc} low={row.runs[index]?.auc?.low} high={row.runs[index]?.auc?.high} digits={3} />
        ),
      };
    }),
    ...runs.map(({ run }, index): Column<Comparison> => {
      return {
        name: `${names.get(run.id)} at T = ${decimal(threshold, 1)}`,
        right: true,
        className: 'max-sm:hidden',
        cell: (row) => {
          const point = row.runs[index]?.curve?.points.find(({ iouThreshold }) => Math.abs(iouThreshold - threshold) < 1e-9);
          return <Value value={point?.accuracy} low={point?.low} high={point?.high} digits={2} />;
        },
      };
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
          .filter(({ evaluation }) => evaluation)
          .map(({ run, evaluation }) => `${names.get(run.id)}: mean AUC ${decimal(evaluation?.meanAuc, 3)}.`)
          .join(' ')}
      </p>
    </Section>
  );
}

type Known = number | null | undefined;

function Value({ value, low, high, digits }: { value: Known; low: Known; high: Known; digits: number }) {
  return (
    <>
      {decimal(value, digits)}
      <span className="inline-block min-w-26 pl-2 text-small text-muted max-lg:hidden">
        {typeof low === 'number' && typeof high === 'number' ? `${decimal(low, digits)} to ${decimal(high, digits)}` : ''}
      </span>
    </>
  );
}
