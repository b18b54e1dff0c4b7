'use client';

import { LineChart } from '../../charts/line-chart.tsx';
import { Skeleton } from '../../components/states.tsx';
import { curveSeries, describeCurves, hasSizes, pairs, readout, X_AXIS, Y_AXIS } from './curves.ts';
import type { Curves } from './queries.ts';

const GRID = '[--plot:172px] 3xl:[--plot:232px] grid grid-cols-1 gap-x-6 gap-y-4 sm:grid-cols-2 lg:grid-cols-4';

const MOST_LABELLED = 3;

/** The boxed findings as small multiples on the same axes, their crosshairs in step; a click enlarges one. */
export function CurveGrid({
  sets,
  stops,
  threshold,
  onThreshold,
  onOpen,
}: {
  sets: readonly Curves[];
  stops: readonly number[];
  threshold: number;
  onThreshold: (threshold: number) => void;
  onOpen: (finding: string) => void;
}) {
  return (
    <div className={GRID}>
      {sets.map((set) => {
        const all = curveSeries(set);
        const read = readout(all, threshold);
        // The crosshair's lines name every run in its colour; many runs beside the controls would have no room to be named again.
        const series = read.length > MOST_LABELLED ? all.map((one) => ({ ...one, unlabelled: one.kind === 'run' })) : all;
        return (
          <div key={set.finding.name} className="group relative min-w-0">
            <LineChart
              title={set.finding.label}
              note={`n ${pairs(set)}`}
              describe={describeCurves(set, threshold)}
              series={series}
              x={X_AXIS}
              y={Y_AXIS}
              height="var(--plot)"
              stops={stops}
              cursor={threshold}
              onCursor={onThreshold}
              readout={read}
              labelRoom={hasSizes(set) ? 98 : 82}
              keyboard={false}
            />
            <button
              type="button"
              className="absolute -inset-2 rounded-sm outline-offset-0 group-hover:ring-1 group-hover:ring-line"
              aria-label={`Enlarge ${set.finding.label}`}
              onClick={() => onOpen(set.finding.name)}
            />
          </div>
        );
      })}
    </div>
  );
}

export function CurveGridSkeleton() {
  return (
    <div className={GRID}>
      {Array.from({ length: 8 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: eight alike
        <Skeleton key={index} className="h-[calc(var(--plot)+60px)]" />
      ))}
    </div>
  );
}
