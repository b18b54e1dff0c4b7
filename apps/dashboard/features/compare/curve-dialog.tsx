'use client';

import { ChartSection } from '../../charts/chart-section.tsx';
import { LineChart } from '../../charts/line-chart.tsx';
import { Modal } from '../../components/overlays.tsx';
import { Table } from '../../components/table.tsx';
import { decimal, interval, plural } from '../../lib/format.ts';
import { runLabels } from '../../lib/methods.ts';
import {
  type CurveGroup,
  curveSeries,
  curveSheet,
  describeCurves,
  hasBoxes,
  namedCurves,
  pairs,
  pointAt,
  readout,
  X_AXIS,
  Y_AXIS,
} from './curves.ts';
import type { Comparison, Curve, Curves } from './queries.ts';

/** One finding, large: its curves, one picture a group, what can be said of each pair of runs, and what lies behind the numbers. */
export function CurveDialog({
  comparison,
  groups,
  caption,
  stops,
  threshold,
  onThreshold,
  onClose,
}: {
  comparison: Comparison | undefined;
  /** Of all findings. */
  groups: readonly CurveGroup[];
  caption: string;
  stops: readonly number[];
  threshold: number;
  onThreshold: (threshold: number) => void;
  onClose: () => void;
}) {
  if (!comparison) return null;
  const drawn = groups.flatMap(({ reason, curves }) =>
    curves.filter(({ finding }) => finding.name === comparison.finding.name).map((set) => ({ reason, set })),
  );
  return (
    <Modal
      wide
      open
      onClose={onClose}
      title={comparison.finding.label}
      description={comparison.statement ?? 'Nothing can be said of these runs for this finding.'}
    >
      {drawn.map(({ reason, set }) => (
        <ChartSection
          key={reason ?? ''}
          title={reason ? 'Localisation accuracy, apart' : 'Localisation accuracy'}
          note={`${reason ? `${reason} ` : ''}Protocol ${set.protocol.name}, ${plural(pairs(set), 'pair')}. Bands: 95 % intervals over patients (bootstrap; Wilson where fewer than five pairs hit or miss).`}
          sheet={curveSheet([set])}
          caption={`${caption}, protocol ${set.protocol.name}. CXR Lens`}
        >
          <Chart set={set} {...{ stops, threshold, onThreshold }} />
        </ChartSection>
      ))}
      <Differences comparison={comparison} />
      {drawn.map(({ reason, set }) => (
        <Behind key={reason ?? ''} set={set} threshold={threshold} />
      ))}
    </Modal>
  );
}

function Chart({
  set,
  stops,
  threshold,
  onThreshold,
}: {
  set: Curves;
  stops: readonly number[];
  threshold: number;
  onThreshold: (threshold: number) => void;
}) {
  const series = curveSeries(set);
  return (
    <LineChart
      title={`At T(IoU) = ${decimal(threshold, 1)}`}
      describe={describeCurves(set, threshold)}
      series={series}
      x={{ ...X_AXIS, ticks: stops }}
      y={{ ...Y_AXIS, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] }}
      height="min(320px, 50dvh)"
      stops={stops}
      cursor={threshold}
      onCursor={onThreshold}
      readout={readout(series, threshold)}
      labelRoom={96}
    />
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
          {
            name: 'Pairs',
            right: true,
            cell: ({ pairs: n, paired, verdict }) =>
              verdict === 'NOT_COMPARABLE' ? 'two protocols' : `${n}${paired ? '' : ', not paired'}`,
          },
        ]}
      />
    </div>
  );
}

type Named = ReturnType<typeof namedCurves>[number];

function Behind({ set, threshold }: { set: Curves; threshold: number }) {
  const at = decimal(threshold, 1);
  return (
    <div className="pb-6">
      <Table
        caption={`Behind the curves, protocol ${set.protocol.name}`}
        rows={namedCurves(set)}
        rowKey={({ id }) => id}
        columns={[
          { name: 'Curve', cell: ({ name }) => name },
          { name: 'Mean IoU', right: true, cell: ({ curve }) => decimal(curve.meanIou) },
          { name: 'Threshold, 0 to 255', right: true, className: 'max-sm:hidden', cell: ({ curve }) => decimal(curve.threshold, 0) },
          ...(hasBoxes(set)
            ? [
                {
                  name: `False positives per image at ${at}`,
                  right: true,
                  cell: ({ curve }: Named) => decimal(pointAt(curve, threshold)?.falsePositives),
                },
                {
                  name: `Accuracy by IoBB at ${at}`,
                  right: true,
                  className: 'max-sm:hidden',
                  cell: ({ curve }: Named) => withInterval(pointAt(curve, threshold)?.iobb),
                },
              ]
            : []),
          { name: 'Note', cell: ({ curve }) => <span className="text-muted">{curve.reason ?? curve.source ?? ''}</span> },
        ]}
      />
    </div>
  );
}

function withInterval(point: Curve['points'][number]['iobb'] | undefined): string {
  return `${decimal(point?.accuracy)} ${interval(point?.low, point?.high)}`.trim();
}
