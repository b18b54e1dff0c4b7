'use client';

import type { KeyboardEvent, PointerEvent } from 'react';
import { Marker } from './marker.tsx';
import { bandPath, lastPoint, linePath, type Point, spreadLabels } from './path.ts';
import { linear, type Scale } from './scale.ts';
import { useSize } from './use-size.ts';

export interface Series {
  id: string;
  /** What stands at the line's end. */
  label: string;
  colour: string;
  /** Runs are solid with markers and bands; controls thin; published references dashed. */
  kind: 'run' | 'control' | 'reference';
  /** Nothing stands at the line's end: what the crosshair reads names it already. */
  unlabelled?: boolean;
  rank?: number;
  points: readonly Point[];
}

export interface Axis {
  label: string;
  domain: readonly [number, number];
  ticks: readonly number[];
  format: (value: number) => string;
}

interface Props {
  title: string;
  /** Stands small after the title. */
  note?: string;
  /** Says in a sentence what the chart shows, for those who do not see it. */
  describe: string;
  series: readonly Series[];
  x: Axis;
  y: Omit<Axis, 'label'>;
  /** Height of the plot with its axis, in CSS: the title and what the crosshair reads stand above it. */
  height: string;
  /** Values of x at which the crosshair stops. */
  stops: readonly number[];
  cursor: number | null;
  onCursor: (x: number) => void;
  /** Lines under the title: what the crosshair reads. */
  readout: readonly { id: string; colour: string; text: string }[];
  /** Room for the labels at the lines' ends, in pixels. */
  labelRoom?: number;
  /** A marked place on the x axis. */
  mark?: { x: number; label: string } | undefined;
  /** Moves the crosshair by the arrow keys; off where another control does that. */
  keyboard?: boolean;
}

const LINE = 16;
const LEFT = 32;
const BOTTOM = 36;

/** Lines with bands on two fixed axes, each labelled at its end, with a crosshair that reads all of them. */
export function LineChart(props: Props) {
  const { title, describe, x, stops, cursor, onCursor, readout, keyboard = true } = props;
  const [ref, { width, height }] = useSize<HTMLDivElement>();
  const top = LINE * (1 + readout.length) + 12;
  const room = Math.min(props.labelRoom ?? 88, width / 3);
  // at 12 px a digit takes about 7
  const left = Math.max(LEFT, 8 + 7 * Math.max(0, ...props.y.ticks.map((tick) => props.y.format(tick).length)));
  const px = linear(x.domain, [left, Math.max(width - room, left + 1)]);
  const py = linear(props.y.domain, [height - BOTTOM, top]);

  const point = (event: PointerEvent<HTMLDivElement>): void => {
    const value = px.invert(event.clientX - event.currentTarget.getBoundingClientRect().left);
    const nearest = nearestStop(stops, value);
    if (nearest !== undefined && nearest !== cursor) onCursor(nearest);
  };
  const key = (event: KeyboardEvent): void => {
    const now = stops.indexOf(cursor ?? Number.NaN);
    const next = { ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1, Home: 0, End: stops.length - 1 }[
      event.key
    ];
    if (next === undefined) return;
    event.preventDefault();
    const stop = stops[Math.min(Math.max(next, 0), stops.length - 1)];
    if (stop !== undefined) onCursor(stop);
  };
  const slider = {
    role: 'slider',
    tabIndex: 0,
    'aria-label': `${title}: ${x.label}`,
    'aria-valuemin': x.domain[0],
    'aria-valuemax': x.domain[1],
    'aria-valuenow': cursor ?? x.domain[0],
    'aria-valuetext': [cursor === null ? '' : x.format(cursor), ...readout.map(({ text }) => text)].join(', '),
    onKeyDown: key,
  };
  return (
    <div
      ref={ref}
      style={{ height: `calc(${props.height} + ${top}px)` }}
      className="min-w-0 touch-pan-y"
      onPointerMove={point}
      {...(keyboard ? slider : {})}
    >
      {width > 0 && (
        <svg data-chart="" width={width} height={height} role="img" aria-label={describe} className="block">
          <text x={0} y={12} fontSize={14} fontWeight={600} style={{ fill: 'var(--ink)' }}>
            {title}
            {props.note && (
              <tspan dx={8} fontSize={12} fontWeight={400} style={{ fill: 'var(--muted)' }}>
                {props.note}
              </tspan>
            )}
          </text>
          {readout.map(({ id, colour, text }, index) => (
            <g key={id} transform={`translate(0 ${LINE * (index + 2) - 3})`}>
              <circle cx={3} cy={-4} r={3} style={{ fill: colour }} />
              <text x={12} fontSize={12} style={{ fill: 'var(--ink)' }}>
                {text}
              </text>
            </g>
          ))}
          <Axes x={x} y={props.y} px={px} py={py} bottom={height - BOTTOM} />
          <Lines series={props.series} px={px} py={py} />
          {props.mark && <Mark {...props.mark} px={px} top={top} bottom={height - BOTTOM} />}
          {cursor !== null && <Crosshair cursor={cursor} series={props.series} px={px} py={py} top={top} bottom={height - BOTTOM} />}
          <EndLabels series={props.series} px={px} py={py} top={top} bottom={height - BOTTOM} left={width - room} />
        </svg>
      )}
    </div>
  );
}

function nearestStop(stops: readonly number[], value: number): number | undefined {
  return stops.toSorted((a, b) => Math.abs(a - value) - Math.abs(b - value))[0];
}

interface Plot {
  px: Scale;
  py: Scale;
}

function Axes({ x, y, px, py, bottom }: Plot & Pick<Props, 'x' | 'y'> & { bottom: number }) {
  const [left, right] = px.range;
  return (
    <g fontSize={12} style={{ fill: 'var(--muted)' }}>
      {y.ticks.map((tick) => (
        <g key={tick} transform={`translate(0 ${Math.round(py(tick)) + 0.5})`}>
          <line x1={left} x2={right} style={{ stroke: 'var(--line)' }} />
          <text x={left - 6} dy="0.32em" textAnchor="end">
            {y.format(tick)}
          </text>
        </g>
      ))}
      {x.ticks.map((tick) => (
        <text key={tick} x={px(tick)} y={bottom + 15} textAnchor="middle">
          {x.format(tick)}
        </text>
      ))}
      <text x={(left + right) / 2} y={bottom + 31} textAnchor="middle">
        {x.label}
      </text>
    </g>
  );
}

function Lines({ series, px, py }: Plot & { series: readonly Series[] }) {
  const runs = series.filter(({ kind }) => kind === 'run');
  return (
    <g fill="none" strokeLinejoin="round">
      {series
        .filter(({ kind }) => kind !== 'run')
        .map(({ id, kind, colour, points }) => (
          <path
            key={id}
            d={linePath(points, px, py)}
            strokeDasharray={kind === 'reference' ? '5 3' : undefined}
            strokeWidth={kind === 'reference' ? 1.5 : 1}
            style={{ stroke: colour }}
          />
        ))}
      {runs.map(({ id, colour, points }) => (
        <path key={id} d={bandPath(points, px, py)} fillOpacity={0.16} style={{ fill: colour }} />
      ))}
      {runs.map(({ id, colour, points, rank = 0 }) => (
        <g key={id}>
          <path d={linePath(points, px, py)} strokeWidth={1.75} style={{ stroke: colour }} />
          {points.length <= 40 &&
            points.map(
              (point) => point.y !== null && <Marker key={point.x} x={px(point.x)} y={py(point.y)} rank={rank} colour={colour} size={2} />,
            )}
        </g>
      ))}
    </g>
  );
}

function Mark({ x, label, px, top, bottom }: { x: number; label: string; px: Scale; top: number; bottom: number }) {
  const place = Math.round(px(x)) + 0.5;
  const right = place > (px.range[0] + px.range[1]) / 2;
  return (
    <g>
      <line x1={place} x2={place} y1={top} y2={bottom} strokeDasharray="1 3" style={{ stroke: 'var(--ink)' }} />
      <text x={place + (right ? -5 : 5)} y={top + 10} fontSize={12} textAnchor={right ? 'end' : 'start'} style={{ fill: 'var(--ink)' }}>
        {label}
      </text>
    </g>
  );
}

function Crosshair({
  cursor,
  series,
  px,
  py,
  top,
  bottom,
}: Plot & { cursor: number; series: readonly Series[]; top: number; bottom: number }) {
  const place = Math.round(px(cursor)) + 0.5;
  return (
    <g>
      <line x1={place} x2={place} y1={top} y2={bottom} style={{ stroke: 'var(--edge)' }} />
      {series.map(({ id, kind, colour, rank = 0, points }) => {
        const point = points.find(({ x }) => Math.abs(x - cursor) < 1e-9);
        if (!point || point.y === null) return null;
        return <Marker key={id} x={px(point.x)} y={py(point.y)} rank={rank} colour={colour} size={kind === 'run' ? 4 : 2} />;
      })}
    </g>
  );
}

function EndLabels({ series, px, py, top, bottom, left }: Plot & { series: readonly Series[]; top: number; bottom: number; left: number }) {
  const ends = series.flatMap((one) => {
    const end = one.unlabelled ? undefined : lastPoint(one.points);
    return end ? [{ ...one, end }] : [];
  });
  const places = spreadLabels(
    ends.map(({ end }) => py(end.y)),
    13,
    top + 4,
    bottom + 2,
  );
  return (
    <g fontSize={12}>
      {ends.map(({ id, kind, label, colour, end }, index) => (
        <g key={id}>
          <polyline
            points={`${px(end.x) + 4},${py(end.y)} ${left + 8},${places[index]} ${left + 11},${places[index]}`}
            fill="none"
            strokeOpacity={0.6}
            style={{ stroke: colour }}
          />
          <text
            x={left + 14}
            y={places[index]}
            dy="0.32em"
            fontWeight={kind === 'run' ? 600 : 400}
            style={{ fill: kind === 'control' ? 'var(--muted)' : colour }}
          >
            {label}
          </text>
        </g>
      ))}
    </g>
  );
}
