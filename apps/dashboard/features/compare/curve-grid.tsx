'use client';

import { LineChart } from '../../charts/line-chart.tsx';
import { Skeleton } from '../../components/states.tsx';
import { curveSeries, describeCurves, pairs, readout, X_AXIS, Y_AXIS } from './curves.ts';
import type { Comparison } from './queries.ts';

const GRID = '[--plot:172px] 3xl:[--plot:232px] grid grid-cols-1 gap-x-6 gap-y-4 sm:grid-cols-2 lg:grid-cols-4';

/** The boxed findings as small multiples on the same axes, their crosshairs in step; a click enlarges one. */
export function CurveGrid({
  comparisons,
  stops,
  threshold,
  onThreshold,
  onOpen,
}: {
  comparisons: readonly Comparison[];
  stops: readonly number[];
  threshold: number;
  onThreshold: (threshold: number) => void;
  onOpen: (finding: string) => void;
}) {
  return (
    <div className={GRID}>
      {comparisons.map((comparison) => {
        const series = curveSeries(comparison);
        const read = readout(series, threshold);
        return (
          <div key={comparison.finding.name} className="group relative min-w-0">
            <LineChart
              title={comparison.finding.label}
              note={`n ${pairs(comparison)}`}
              describe={describeCurves(comparison, threshold)}
              series={series}
              x={X_AXIS}
              y={Y_AXIS}
              height="var(--plot)"
              stops={stops}
              cursor={threshold}
              onCursor={onThreshold}
              readout={read}
              labelRoom={82}
              keyboard={false}
            />
            <button
              type="button"
              className="absolute -inset-2 rounded-sm outline-offset-0 group-hover:ring-1 group-hover:ring-line"
              aria-label={`Enlarge ${comparison.finding.label}`}
              onClick={() => onOpen(comparison.finding.name)}
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
