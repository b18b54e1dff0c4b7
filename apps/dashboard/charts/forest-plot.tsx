'use client';

import { aucInterval, decimal, FEW_CASES } from '../lib/format.ts';
import { Marker } from './marker.tsx';
import { linear, ticks } from './scale.ts';
import { useSize } from './use-size.ts';

interface ForestItem {
  id: string;
  label: string;
  colour: string;
  rank: number;
  value: number | null;
  low: number | null;
  high: number | null;
  /** Why there is no value, or no interval. */
  reason: string | null;
}

export interface ForestRow {
  name: string;
  items: readonly ForestItem[];
  /** Published values: shown beside ours, never joined with them. */
  published: readonly { label: string; colour: string; value: number }[];
}

const AXIS = 56;
const LINE = 18;

/** Names one after the other from `left`, going on in another line where the width ends. */
function flow(names: readonly string[], { left, width }: { left: number; width: number }): { x: number; line: number }[] {
  let x = left;
  let line = 0;
  return names.map((name) => {
    const own = 32 + name.length * 7.5; // marker, name in 12 px semibold, gap
    if (x > left && x + own - 12 > width) {
      x = left;
      line += 1;
    }
    const place = { x, line };
    x += own;
    return place;
  });
}

/** A dot and its interval for each row and method on one axis. Values beyond the axis end in an arrow. */
export function ForestPlot({
  title,
  describe,
  rows,
  domain,
  reference,
  referenceLabel,
}: {
  title: string;
  describe: string;
  rows: readonly ForestRow[];
  domain: readonly [number, number];
  /** A value to compare with, such as 0.5 for chance. */
  reference: number;
  referenceLabel: string;
}) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const most = Math.max(1, ...rows.map(({ items }) => items.length));
  const rowHeight = Math.max(width > 640 ? 30 : 24, most * 8 + 10);
  const left = width < 480 ? 112 : 136;
  const x = linear(domain, [left, Math.max(width - 12, left + 1)]);
  const keys = rows.find(({ items }) => items.length === most)?.items ?? [];
  const published = rows.some((row) => row.published.length > 0);
  const places = flow([...keys.map(({ label }) => label), ...(published ? ['published'] : [])], { left, width });
  const top = AXIS + (places.at(-1)?.line ?? 0) * LINE;
  const height = top + rows.length * rowHeight + 24;
  const bottom = height - 24;
  return (
    <div ref={ref} style={{ height }}>
      {width > 0 && (
        <svg data-chart="" width={width} height={height} role="img" aria-label={describe} className="block">
          <text x={0} y={12} fontSize={14} fontWeight={600} style={{ fill: 'var(--ink)' }}>
            {title}
          </text>
          <g fontSize={12}>
            {keys.map(({ id, label, colour, rank }, index) => (
              <g key={id} transform={`translate(${places[index]!.x} ${8 + places[index]!.line * LINE})`}>
                <Marker x={4} y={0} rank={rank} colour={colour} size={4} />
                <text x={12} dy="0.32em" fontWeight={600} style={{ fill: colour }}>
                  {label}
                </text>
              </g>
            ))}
            {published && (
              <g transform={`translate(${places[keys.length]!.x} ${8 + places[keys.length]!.line * LINE})`}>
                <Published x={4} y={0} colour="var(--control)" />
                <text x={14} dy="0.32em" style={{ fill: 'var(--muted)' }}>
                  published
                </text>
              </g>
            )}
          </g>
          <g fontSize={12} style={{ fill: 'var(--muted)' }}>
            {ticks(domain, 6).map((tick) => (
              <g key={tick} transform={`translate(${Math.round(x(tick)) + 0.5} 0)`}>
                <line y1={top - 8} y2={bottom} style={{ stroke: tick === reference ? 'var(--edge)' : 'var(--line)' }} />
                <text y={bottom + 15} textAnchor="middle">
                  {decimal(tick, 1)}
                </text>
              </g>
            ))}
            <text x={x(reference) + 5} y={top - 12}>
              {referenceLabel}
            </text>
          </g>
          {rows.map((row, index) => (
            <Row key={row.name} row={row} top={top + index * rowHeight} height={rowHeight} x={x} width={width} />
          ))}
        </svg>
      )}
    </div>
  );
}

function Row({ row, top, height, x, width }: { row: ForestRow; top: number; height: number; x: ReturnType<typeof linear>; width: number }) {
  const middle = top + height / 2;
  const step = 8;
  const start = middle - ((row.items.length - 1) * step) / 2;
  const known = row.items.filter(({ value }) => value !== null);
  const few = known.length > 0 && known.every(({ reason }) => reason === FEW_CASES);
  return (
    <g>
      <line x1={0} x2={width} y1={top - 0.5} y2={top - 0.5} style={{ stroke: 'var(--line)' }} />
      <text x={0} y={middle} dy="0.32em" fontSize={12} style={{ fill: 'var(--ink)' }}>
        {row.name}
      </text>
      {row.published
        .filter(({ value }) => value >= x.domain[0])
        .map(({ label, colour, value }) => (
          <Published key={label} x={x(value)} y={middle} colour={colour} title={`${label}, published: ${decimal(value, 3)}`} />
        ))}
      {row.items.every(({ value }) => value === null) && (
        <text
          x={x.range[0] + 6}
          y={middle}
          dy="0.32em"
          fontSize={12}
          style={{ fill: 'var(--muted)', stroke: 'var(--paper)', strokeWidth: 4, paintOrder: 'stroke' }}
        >
          {row.items[0]?.reason ?? ''}
        </text>
      )}
      {few && (
        <text
          x={Math.min(Math.max(...known.map(({ value }) => x(value!))) + 10, width - 58)}
          y={middle}
          dy="0.32em"
          fontSize={12}
          style={{ fill: 'var(--muted)', stroke: 'var(--paper)', strokeWidth: 4, paintOrder: 'stroke' }}
        >
          {FEW_CASES}
        </text>
      )}
      {row.items.map((item, index) => (
        <Item key={item.id} item={item} y={start + index * step} x={x} />
      ))}
    </g>
  );
}

function Item({ item, y, x }: { item: ForestItem; y: number; x: ReturnType<typeof linear> }) {
  const { value, low, high, colour, rank, label } = item;
  if (value === null) return null;
  const clip = (at: number): number => Math.min(Math.max(x(at), x.range[0]), x.range[1]);
  return (
    <g>
      <title>{`${label}: ${decimal(value, 3)} ${aucInterval(item)}`}</title>
      {low !== null && high !== null && <line x1={clip(low)} x2={clip(high)} y1={y} y2={y} strokeWidth={1.5} style={{ stroke: colour }} />}
      {low !== null && low < x.domain[0] && <path d={`M${x.range[0]},${y}l5,-3v6z`} style={{ fill: colour }} />}
      {value >= x.domain[0] && <Marker x={clip(value)} y={y} rank={rank} colour={colour} size={3.5} />}
    </g>
  );
}

function Published({ x, y, colour, title }: { x: number; y: number; colour: string; title?: string }) {
  return (
    <path d={`M${x},${y - 5}l4,5l-4,5l-4,-5z`} fill="none" strokeDasharray="2 1" style={{ stroke: colour }}>
      {title && <title>{title}</title>}
    </path>
  );
}
