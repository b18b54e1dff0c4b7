import { FINDINGS, findingLabel } from '@cxr-lens/data';
import { FAINT, methodColor, QUIET } from './colors.ts';
import { figure, polyline, round, text } from './svg.ts';
import type { ReportAuc, ReportInput } from './types.ts';

const LEFT = 150;
const PLOT_WIDTH = 420;
const VALUE_WIDTH = 170;
const HEAD = 64;
const LINE = 13;
const GAP = 9;

/** The interval that is drawn and printed: over patients where it was computed, else DeLong's. */
export function aucInterval({ bootstrap, ci }: ReportAuc): [number, number] | null {
  return bootstrap ?? ci;
}

/** Forest plot: one block a finding, a dot and an interval a run, the mean below. The axis starts at 0.4, or lower where it must. */
export function aucFigure({ runs, dataSet }: ReportInput): string {
  const measured = FINDINGS.filter((finding) => runs.some(({ auc }) => auc[finding]));
  const title = `AUC${dataSet.synthetic ? ', measured on phantoms' : ''}`;
  const lowest = Math.min(0.4, ...runs.flatMap(({ auc }) => Object.values(auc).map((row) => aucInterval(row)?.[0] ?? row.auc ?? 1)));
  const start = Math.max(0, Math.floor(lowest * 10) / 10);
  const xOf = (value: number) => LEFT + ((value - start) / (1 - start)) * PLOT_WIDTH;
  const block = runs.length * LINE + GAP;
  const bottom = HEAD + (measured.length + 1) * block;
  const means: (ReportAuc | undefined)[] = runs.map(({ meanAuc, meanAucInterval }) => ({
    auc: meanAuc,
    variance: null,
    ci: meanAucInterval ?? null,
    positives: 0,
    negatives: 0,
  }));
  const rows = [
    ...measured.map((finding) => ({ label: findingLabel(finding), values: runs.map(({ auc }) => auc[finding]) })),
    { label: 'Mean', values: means },
  ];
  const body = [
    text(16, 24, title, { size: 14, weight: 600 }),
    ...runs.map(({ label, method }, index) => text(LEFT + index * 130, 46, `\u25CF ${label}`, { color: methodColor(method), weight: 600 })),
    ...grid(start, { xOf, bottom }),
    ...rows.flatMap(({ label, values }, index) => {
      const top = HEAD + index * block;
      return [
        text(LEFT - 12, top + (runs.length * LINE) / 2 + 4, label, { anchor: 'end', weight: label === 'Mean' ? 600 : 400 }),
        ...values.flatMap((value, run) =>
          value ? mark(value, { y: top + run * LINE + LINE / 2, color: methodColor(runs[run]!.method), xOf }) : [],
        ),
      ];
    }),
  ];
  return figure({ width: LEFT + PLOT_WIDTH + VALUE_WIDTH, height: bottom + 32, title, body });
}

function grid(start: number, { xOf, bottom }: { xOf: (value: number) => number; bottom: number }): string[] {
  const ticks = Array.from({ length: Math.round((1 - start) * 10) + 1 }, (_, i) => round(start + i / 10));
  return ticks.flatMap((tick) => [
    polyline(
      [
        [xOf(tick), HEAD - 6],
        [xOf(tick), bottom],
      ],
      { color: FAINT, width: tick === 0.5 ? 1.5 : 0.5 },
    ),
    text(xOf(tick), bottom + 16, tick.toFixed(1), { color: QUIET, anchor: 'middle' }),
  ]);
}

function mark(value: ReportAuc, { y, color, xOf }: { y: number; color: string; xOf: (value: number) => number }): string[] {
  const x = LEFT + PLOT_WIDTH + 14;
  if (value.auc === null) return [text(x, y + 4, value.reason ?? 'not measured', { color: QUIET, size: 10 })];
  const interval = aucInterval(value);
  const range = interval ? ` (${interval[0].toFixed(3)} to ${interval[1].toFixed(3)})` : '';
  return [
    ...(interval
      ? [
          polyline(
            [
              [xOf(interval[0]), y],
              [xOf(interval[1]), y],
            ],
            { color, width: 1.5 },
          ),
        ]
      : []),
    `<circle cx="${round(xOf(value.auc))}" cy="${round(y)}" r="3.5" fill="${color}"/>`,
    text(x, y + 4, `${value.auc.toFixed(3)}${range}`, { color, size: 10 }),
  ];
}
