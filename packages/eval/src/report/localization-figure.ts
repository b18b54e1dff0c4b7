import { BOXED_FINDINGS, type BoxedFinding, findingLabel } from '@cxr-lens/data';
import { IOU_THRESHOLDS, type LocalizationCurve } from '../localization/types.ts';
import { CONTROL_COLOR, FAINT, methodColor, QUIET } from './colors.ts';
import { publishedCurves } from './references.ts';
import { figure, polygon, polyline, spreadLabels, text } from './svg.ts';
import type { ReportInput } from './types.ts';

const COLUMNS = 4;
const PANEL = { width: 310, height: 230 };
const PLOT = { left: 34, top: 34, width: 150, height: 150 };
const HEAD = 40;
const LABEL_GAP = 12;

/** One line of a panel; controls and published curves are thin and grey and have no band, published ones are dashed. */
interface Line {
  label: string;
  color: string;
  kind: 'run' | 'control' | 'published';
  curve: Pick<LocalizationCurve, 'pairs' | 'points' | 'reason'>;
}

/** Eight small multiples on the same axes: accuracy over T(IoU), every run with its band, the controls, lines labelled at their ends. */
export function localizationFigure(input: ReportInput): string {
  const rows = Math.ceil(BOXED_FINDINGS.length / COLUMNS);
  const title = `Localisation accuracy at T(IoU)${input.dataSet.synthetic ? ', measured on phantoms' : ''}`;
  const body = [
    text(16, 24, title, { size: 14, weight: 600 }),
    text(COLUMNS * PANEL.width - 16, 24, 'bands: 95 % intervals over patients', { color: QUIET, anchor: 'end' }),
    ...BOXED_FINDINGS.map((finding, index) => {
      const x = (index % COLUMNS) * PANEL.width;
      const y = HEAD + Math.floor(index / COLUMNS) * PANEL.height;
      return `<g transform="translate(${x} ${y})">\n${panel(finding, linesOf(input, finding)).join('\n')}\n</g>`;
    }),
  ];
  return figure({ width: COLUMNS * PANEL.width, height: HEAD + rows * PANEL.height, title, body });
}

function linesOf({ runs, controls }: ReportInput, finding: BoxedFinding): Line[] {
  const control = (label: string, curve: LocalizationCurve): Line => ({ label, color: CONTROL_COLOR, kind: 'control', curve });
  const protocol = runs.find(({ localization }) => localization)?.localization?.protocol.name ?? '';
  return [
    ...publishedCurves(protocol).map(({ label, findings }): Line => {
      const points = IOU_THRESHOLDS.map((iouThreshold, t) => ({
        iouThreshold,
        accuracy: findings[finding][t]!,
        low: null,
        high: null,
        sd: null,
      }));
      return { label, color: QUIET, kind: 'published', curve: { pairs: 0, points, reason: null } };
    }),
    ...(controls
      ? [
          control('random', controls.random.findings[finding]),
          control('centre prior', controls.centre.findings[finding]),
          control('best reachable', controls.bestReachable.findings[finding]),
        ]
      : []),
    ...runs.flatMap(({ label, method, localization }): Line[] =>
      localization ? [{ label, color: methodColor(method), kind: 'run', curve: localization.findings[finding] }] : [],
    ),
  ];
}

const xOf = (t: number) => PLOT.left + ((t - 0.1) / 0.6) * PLOT.width;
const yOf = (accuracy: number) => PLOT.top + (1 - accuracy) * PLOT.height;

function panel(finding: BoxedFinding, lines: readonly Line[]): string[] {
  const drawn = lines.filter(({ curve }) => curve.points.some(({ accuracy }) => accuracy !== null));
  const pairs = Math.max(0, ...lines.map(({ curve }) => curve.pairs));
  const reason = lines.find(({ kind, curve }) => kind === 'run' && curve.reason !== null)?.curve.reason;
  return [
    text(PLOT.left, 20, findingLabel(finding), { size: 12, weight: 600 }),
    text(PLOT.left + PLOT.width, 20, `${pairs} ${pairs === 1 ? 'pair' : 'pairs'}`, { color: QUIET, anchor: 'end' }),
    ...(reason && pairs > 0 ? [text(PLOT.left + PLOT.width + 11, 20, reason, { color: QUIET, size: 10 })] : []),
    ...axes(),
    ...drawn.flatMap(band),
    ...drawn.map(({ curve, color, kind }) =>
      polyline(curvePoints(curve), { color, width: kind === 'run' ? 2 : 1, ...(kind === 'published' ? { dash: '4 3' } : {}) }),
    ),
    ...endLabels(drawn),
  ];
}

function axes(): string[] {
  const bottom = yOf(0);
  const horizontal = [0, 0.25, 0.5, 0.75, 1].flatMap((value) => [
    polyline(
      [
        [PLOT.left, yOf(value)],
        [PLOT.left + PLOT.width, yOf(value)],
      ],
      { color: FAINT, width: value === 0 ? 1 : 0.5 },
    ),
    ...(value % 0.5 === 0 ? [text(PLOT.left - 6, yOf(value) + 4, String(value), { color: QUIET, anchor: 'end' })] : []),
  ]);
  const ticks = IOU_THRESHOLDS.filter((_, index) => index % 2 === 0).map((t) =>
    text(xOf(t), bottom + 16, String(t), { color: QUIET, anchor: 'middle' }),
  );
  return [...horizontal, ...ticks, text(PLOT.left + PLOT.width / 2, bottom + 30, 'T(IoU)', { color: QUIET, size: 10, anchor: 'middle' })];
}

function band({ curve, color, kind }: Line): string[] {
  const points = curve.points.filter(({ low, high }) => low !== null && high !== null);
  if (kind !== 'run' || points.length === 0) return [];
  const upper = points.map(({ iouThreshold, high }) => [xOf(iouThreshold), yOf(high!)] as const);
  const lower = points.map(({ iouThreshold, low }) => [xOf(iouThreshold), yOf(low!)] as const);
  return [polygon([...upper, ...lower.reverse()], color, 0.15)];
}

function curvePoints(curve: Line['curve']): (readonly [number, number])[] {
  return curve.points.flatMap(({ iouThreshold, accuracy }) => (accuracy === null ? [] : [[xOf(iouThreshold), yOf(accuracy)] as const]));
}

function endLabels(lines: readonly Line[]): string[] {
  const ends = lines.map(({ curve }) => curvePoints(curve).at(-1)![1]);
  const placed = spreadLabels(ends, { gap: LABEL_GAP, from: PLOT.top, to: yOf(0) + 4 });
  const x = PLOT.left + PLOT.width;
  return lines.flatMap(({ label, color, kind }, index) => [
    polyline(
      [
        [x, ends[index]!],
        [x + 8, placed[index]!],
      ],
      { color, width: 0.5 },
    ),
    text(x + 11, placed[index]! + 3.5, label, { color, size: kind === 'run' ? 11 : 10, weight: kind === 'run' ? 600 : 400 }),
  ]);
}
