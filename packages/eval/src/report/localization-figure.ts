import { BOXED_FINDINGS, type BoxedFinding, findingLabel } from '@cxr-lens/data';
import { IOU_THRESHOLDS, type LocalizationPoint } from '../localization/types.ts';
import { CONTROL_COLOR, FAINT, methodColor, QUIET } from './colors.ts';
import type { CurveSet, Group, MeasuredCurves } from './groups.ts';
import { figure, polygon, polyline, spreadLabels, text, textWidth } from './svg.ts';

const COLUMNS = 4;
const PLOT = { left: 34, top: 34, width: 150 };
const MIN_PLOT_HEIGHT = 150;
const BELOW_PLOT = 46;
const HEAD = 40;
const LABEL_GAP = 12;
const LABEL_INDENT = 11;
const MIN_LABEL_WIDTH = 115;
/** More bands than this over each other say nothing. */
const MANY_BANDS = 3;

/** One line of a panel; controls and published curves are thin and grey and have no band, published ones are dashed. */
interface Line {
  label: string;
  color: string;
  kind: 'run' | 'control' | 'published';
  points: readonly Pick<LocalizationPoint, 'iouThreshold' | 'accuracy'>[];
  /** The curves of the runs that `points` is the mean of, drawn thin. */
  single: readonly (readonly LocalizationPoint[])[];
  band: readonly LocalizationPoint[];
}

/** Fig. 3: eight small multiples on the same axes, accuracy over T(IoU): one line a method, the controls, published curves of this protocol. */
export function localizationFigure(set: CurveSet, { synthetic }: { synthetic: boolean }): string {
  const panels = BOXED_FINDINGS.map((finding) => linesOf(set, finding));
  const longest = Math.max(MIN_LABEL_WIDTH, ...panels.flatMap((lines) => lines.map(({ label }) => textWidth(label, 11) + 8)));
  const plotHeight = Math.max(MIN_PLOT_HEIGHT, LABEL_GAP * Math.max(...panels.map((lines) => lines.length)));
  const size = { width: PLOT.left + PLOT.width + LABEL_INDENT + longest, height: PLOT.top + plotHeight + BELOW_PLOT };
  const rows = Math.ceil(BOXED_FINDINGS.length / COLUMNS);
  const whose = set.generative ? 'Generative, an addition to the paper: ' : '';
  const title = `${whose}Localisation accuracy at T(IoU), protocol ${set.protocol.name}${synthetic ? ', measured on phantoms' : ''}`;
  const body = [
    text(16, 24, title, { size: 14, weight: 600 }),
    text(COLUMNS * size.width - 16, 24, keyOf(set), { color: QUIET, anchor: 'end' }),
    ...BOXED_FINDINGS.map((finding, index) => {
      const x = Math.round((index % COLUMNS) * size.width);
      const y = HEAD + Math.floor(index / COLUMNS) * size.height;
      const head = headOf(set, finding);
      return `<g transform="translate(${x} ${y})">\n${panel(panels[index]!, { ...head, plotHeight }).join('\n')}\n</g>`;
    }),
  ];
  return figure({ width: Math.round(COLUMNS * size.width), height: HEAD + rows * size.height, title, body });
}

function keyOf({ groups }: CurveSet): string {
  const several = groups.some(({ members }) => members.length > 1);
  const banded = groups.some(({ members }) => members.length === 1);
  return [
    ...(banded ? ['bands: 95 % intervals over patients'] : []),
    ...(several ? ['thick lines: mean of several runs, thin lines: each of them'] : []),
  ].join('; ');
}

function linesOf({ groups, controls, published, protocol }: CurveSet, finding: BoxedFinding): Line[] {
  const plain = { single: [], band: [] };
  const control = (label: string, points: Line['points']): Line => ({ label, color: CONTROL_COLOR, kind: 'control', points, ...plain });
  const lines = [
    ...published.map(({ label, findings }): Line => {
      const points = IOU_THRESHOLDS.map((iouThreshold, t) => ({ iouThreshold, accuracy: findings[finding][t]! }));
      return { label: `${label}, ${protocol.name}`, color: QUIET, kind: 'published', points, ...plain };
    }),
    ...controls.flatMap(({ grid, random, centre, bestReachable }, index) => [
      control(withGrid('random', grid), random.findings[finding].points),
      // it is made on the finest grid, whatever the maps' size
      ...(index === 0 ? [control('centre prior', centre.findings[finding].points)] : []),
      control(withGrid('best reachable', grid), bestReachable.findings[finding].points),
    ]),
    ...groups.map((group) => runLine(group, finding)),
  ];
  return lines.filter(({ points }) => points.some(({ accuracy }) => accuracy !== null));
}

function withGrid(name: string, grid: string | undefined): string {
  return grid === undefined ? name : `${name}, ${grid}`;
}

function runLine({ label, method, members }: Group<MeasuredCurves>, finding: BoxedFinding): Line {
  const curves = members.map(({ result }) => result.findings[finding].points);
  const points = IOU_THRESHOLDS.map((iouThreshold, t) => ({ iouThreshold, accuracy: meanOf(curves.map((own) => own[t]!.accuracy)) }));
  const [only] = curves;
  return {
    label,
    color: methodColor(method),
    kind: 'run',
    points,
    single: curves.length > 1 ? curves : [],
    band: curves.length === 1 ? only! : [],
  };
}

/** Of the values that are known; null without one. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? known.reduce((total, value) => total + value, 0) / known.length : null;
}

interface PanelHead {
  title: string;
  pairs: number;
  reason: string | null;
}

function headOf({ groups, controls }: CurveSet, finding: BoxedFinding): PanelHead {
  const measured = groups.flatMap(({ members }) => members.map(({ result }) => result.findings[finding]));
  const pairs = Math.max(0, ...[...measured, ...controls.map(({ random }) => random.findings[finding])].map((curve) => curve.pairs));
  return { title: findingLabel(finding), pairs, reason: measured.find(({ reason }) => reason !== null)?.reason ?? null };
}

function panel(lines: readonly Line[], { title, pairs, reason, plotHeight }: PanelHead & { plotHeight: number }): string[] {
  const scale = scaleOf(plotHeight);
  const banded = lines.filter(({ band }) => band.some(({ low }) => low !== null)).length;
  const opacity = banded > MANY_BANDS ? 0.07 : 0.15;
  return [
    text(PLOT.left, 20, title, { size: 12, weight: 600 }),
    text(PLOT.left + PLOT.width, 20, `${pairs} ${pairs === 1 ? 'pair' : 'pairs'}`, { color: QUIET, anchor: 'end' }),
    ...(reason && pairs > 0 ? [text(PLOT.left + PLOT.width + LABEL_INDENT, 20, reason, { color: QUIET, size: 10 })] : []),
    ...axes(scale),
    ...lines.flatMap(({ band, color }) => bandOf(band, { color, opacity, scale })),
    ...lines.flatMap(({ single, color }) => single.map((points) => polyline(placed(points, scale), { color, width: 0.75, opacity: 0.55 }))),
    ...lines.map(({ points, color, kind }) =>
      polyline(placed(points, scale), { color, width: kind === 'run' ? 2 : 1, ...(kind === 'published' ? { dash: '4 3' } : {}) }),
    ),
    ...endLabels(lines, scale),
  ];
}

interface Scale {
  x: (t: number) => number;
  y: (accuracy: number) => number;
}

function scaleOf(plotHeight: number): Scale {
  return { x: (t) => PLOT.left + ((t - 0.1) / 0.6) * PLOT.width, y: (accuracy) => PLOT.top + (1 - accuracy) * plotHeight };
}

function axes({ x, y }: Scale): string[] {
  const bottom = y(0);
  const horizontal = [0, 0.25, 0.5, 0.75, 1].flatMap((value) => [
    polyline(
      [
        [PLOT.left, y(value)],
        [PLOT.left + PLOT.width, y(value)],
      ],
      { color: FAINT, width: value === 0 ? 1 : 0.5 },
    ),
    ...(value % 0.5 === 0 ? [text(PLOT.left - 6, y(value) + 4, String(value), { color: QUIET, anchor: 'end' })] : []),
  ]);
  const ticks = IOU_THRESHOLDS.filter((_, index) => index % 2 === 0).map((t) =>
    text(x(t), bottom + 16, String(t), { color: QUIET, anchor: 'middle' }),
  );
  return [...horizontal, ...ticks, text(PLOT.left + PLOT.width / 2, bottom + 30, 'T(IoU)', { color: QUIET, size: 10, anchor: 'middle' })];
}

function bandOf(band: readonly LocalizationPoint[], { color, opacity, scale }: { color: string; opacity: number; scale: Scale }): string[] {
  const points = band.filter(({ low, high }) => low !== null && high !== null);
  if (points.length === 0) return [];
  const upper = points.map(({ iouThreshold, high }) => [scale.x(iouThreshold), scale.y(high!)] as const);
  const lower = points.map(({ iouThreshold, low }) => [scale.x(iouThreshold), scale.y(low!)] as const);
  return [polygon([...upper, ...lower.reverse()], color, opacity)];
}

function placed(points: Line['points'], { x, y }: Scale): (readonly [number, number])[] {
  return points.flatMap(({ iouThreshold, accuracy }) => (accuracy === null ? [] : [[x(iouThreshold), y(accuracy)] as const]));
}

function endLabels(lines: readonly Line[], scale: Scale): string[] {
  const ends = lines.map(({ points }) => placed(points, scale).at(-1)![1]);
  const labels = spreadLabels(ends, { gap: LABEL_GAP, from: PLOT.top, to: scale.y(0) + 4 });
  const x = PLOT.left + PLOT.width;
  return lines.flatMap(({ label, color, kind }, index) => [
    polyline(
      [
        [x, ends[index]!],
        [x + 8, labels[index]!],
      ],
      { color, width: 0.5 },
    ),
    text(x + LABEL_INDENT, labels[index]! + 3.5, label, { color, size: kind === 'run' ? 11 : 10, weight: kind === 'run' ? 600 : 400 }),
  ]);
}
