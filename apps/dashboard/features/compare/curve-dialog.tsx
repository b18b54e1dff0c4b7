'use client';

import { ChartSection } from '../../charts/chart-section.tsx';
import { LineChart } from '../../charts/line-chart.tsx';
import { Modal } from '../../components/overlays.tsx';
import { Table } from '../../components/table.tsx';
import { decimal, interval, plural } from '../../lib/format.ts';
import { runLabels } from '../../lib/methods.ts';
import { curveSeries, curveSheet, describeCurves, pairs, readout, X_AXIS, Y_AXIS } from './curves.ts';
import type { Comparison } from './queries.ts';

/** One finding, large: its curves, what can be said of each pair of runs, and what lies behind the numbers. */
export function CurveDialog({
  comparison,
  caption,
  stops,
  threshold,
  onThreshold,
  onClose,
}: {
  comparison: Comparison | undefined;
  caption: string;
  stops: readonly number[];
  threshold: number;
  onThreshold: (threshold: number) => void;
  onClose: () => void;
}) {
  if (!comparison) return null;
  const series = curveSeries(comparison);
  const read = readout(series, threshold);
  return (
    <Modal
      wide
      open
      onClose={onClose}
      title={comparison.finding.label}
      description={comparison.statement ?? 'Nothing can be said of these runs for this finding.'}
    >
      <ChartSection
        title="Localisation accuracy"
        note={`${plural(pairs(comparison), 'pair')}. Bands: 95 % intervals by bootstrap over patients.`}
        sheet={curveSheet([comparison])}
        caption={caption}
      >
        <LineChart
          title={`At T(IoU) = ${decimal(threshold, 1)}`}
          describe={describeCurves(comparison, threshold)}
          series={series}
          x={{ ...X_AXIS, ticks: stops }}
          y={{ ...Y_AXIS, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] }}
          height="min(320px, 50dvh)"
          stops={stops}
          cursor={threshold}
          onCursor={onThreshold}
          readout={read}
          labelRoom={96}
        />
      </ChartSection>
      <Differences comparison={comparison} />
      <Behind comparison={comparison} />
    </Modal>
  );
}

function Differences({ comparison }: { comparison: Comparison }) {
  if (comparison.differences.length === 0) return null;
  const names = runLabels(comparison.runs.map(({ run }) => run));
  return (
    <div className="pb-6">
      <Table
        caption="Differences between runs"
        rows={comparison.differences}
        rowKey={({ run, over }) => `${run.id} ${over.id}`}
        columns={[
          { name: 'Difference', cell: ({ run, over }) => `${names.get(run.id)} over ${names.get(over.id)}` },
          { name: 'At T(IoU)', right: true, cell: ({ iouThreshold }) => decimal(iouThreshold, 1) },
          { name: 'Accuracy', right: true, cell: ({ value }) => decimal(value) },
          { name: '95 % interval', right: true, cell: ({ low, high }) => interval(low, high) || '–' },
          { name: 'Pairs', right: true, cell: ({ pairs: n, paired }) => `${n}${paired ? '' : ', not paired'}` },
        ]}
      />
    </div>
  );
}

function Behind({ comparison }: { comparison: Comparison }) {
  const names = runLabels(comparison.runs.map(({ run }) => run));
  const rows = [
    ...comparison.runs.flatMap(({ run, curve }) => (curve ? [{ id: run.id, name: names.get(run.id)!, curve }] : [])),
    ...comparison.controls.map((curve) => ({ id: curve.label, name: curve.label, curve })),
    ...comparison.references.map((curve) => ({ id: curve.label, name: curve.label, curve })),
  ];
  return (
    <Table
      caption="Behind the curves"
      rows={rows}
      rowKey={({ id }) => id}
      columns={[
        { name: 'Curve', cell: ({ name }) => name },
        { name: 'Mean IoU', right: true, cell: ({ curve }) => decimal(curve.meanIou) },
        { name: 'Threshold, 0 to 255', right: true, className: 'max-sm:hidden', cell: ({ curve }) => decimal(curve.threshold, 0) },
        { name: 'Note', cell: ({ curve }) => <span className="text-muted">{curve.reason ?? curve.source ?? ''}</span> },
      ]}
    />
  );
}
