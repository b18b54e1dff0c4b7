import { FINDINGS, findingLabel } from '@cxr-lens/data';
import { FEW_CASES_REASON, isFewCases, meanHasInterval } from '../auc/cases.ts';
import { fixed } from '../words.ts';
import { FAINT, methodColor, QUIET } from './colors.ts';
import { type Group, groupsOf } from './groups.ts';
import { meanOf } from './localization-figure.ts';
import { withInterval } from './markdown.ts';
import { PUBLISHED_AUC } from './references.ts';
import { circle, figure, polyline, round, text, textWidth } from './svg.ts';
import type { ReportAuc, ReportRun } from './types.ts';

const LEFT = 150;
const PLOT_WIDTH = 420;
const VALUE_WIDTH = 190;
const HEAD = 46;
const LEGEND_LINE = 18;
const LINE = 13;
const GAP = 9;

export interface AucFigureOptions {
  synthetic: boolean;
  /** Measured on the official test split: what others published for it may stand beside. */
  official: boolean;
  /** Whose figure it is, where not all methods are in it. */
  whose?: string;
}

/** The interval that is drawn and printed: over patients where it was computed, else DeLong's; none with few cases. */
export function aucInterval(row: ReportAuc): [number, number] | null {
  return isFewCases(row) ? null : (row.bootstrap ?? row.ci);
}

/** "0.812 (0.790 to 0.835)", or "0.812 (few cases)"; empty where there is no AUC. */
export function aucText(row: ReportAuc): string {
  const few = isFewCases(row) || row.reason === FEW_CASES_REASON;
  return few && row.auc !== null ? `${fixed(row.auc, 3)} (${FEW_CASES_REASON})` : withInterval(row.auc, aucInterval(row), 3);
}

/** The mean over the findings in the shape of a finding. */
export function meanRow({ auc, meanAuc, meanAucInterval }: ReportRun): ReportAuc {
  const row = { auc: meanAuc, variance: null, positives: 0, negatives: 0 };
  return meanHasInterval(Object.values(auc)) ? { ...row, ci: meanAucInterval ?? null } : { ...row, ci: null, reason: FEW_CASES_REASON };
}

/**
 * Fig. 2: one block a finding, one row a method: a dot for its AUC with its interval, or a small dot for each of several runs. The axis
 * starts at 0.4, or lower where it must.
 */
export function aucFigure(runs: readonly ReportRun[], { synthetic, official, whose }: AucFigureOptions): string {
  const groups = groupsOf(runs);
  const measured = FINDINGS.filter((finding) => runs.some(({ auc }) => auc[finding]));
  const title = `${whose ? `${whose}: ` : ''}AUC${synthetic ? ', measured on phantoms' : ''}`;
  const lowest = Math.min(0.4, ...runs.flatMap(({ auc }) => Object.values(auc).map((row) => aucInterval(row)?.[0] ?? row.auc ?? 1)));
  const start = Math.max(0, Math.floor(lowest * 10) / 10);
  const width = LEFT + PLOT_WIDTH + VALUE_WIDTH;
  const published = official ? PUBLISHED_AUC.filter(({ split }) => split === 'official') : [];
  const legend = legendOf(groups, { width, published: published.map(({ label }) => label) });
  const top = HEAD + legend.height;
  const block = groups.length * LINE + GAP;
  const bottom = top + (measured.length + 1) * block;
  const x = (value: number) => LEFT + ((value - start) / (1 - start)) * PLOT_WIDTH;
  const rows = [
    ...measured.map((finding) => ({
      label: findingLabel(finding),
      rowOf: ({ auc }: ReportRun) => auc[finding],
      others: published.map(({ findings }) => findings[finding]),
    })),
    { label: 'Mean', rowOf: meanRow, others: published.map(({ mean }) => mean) },
  ];
  const body = [
    text(16, 24, title, { size: 14, weight: 600 }),
    text(width - 16, 24, keyOf(groups), { color: QUIET, anchor: 'end', size: 10 }),
    ...legend.body,
    ...grid(start, { x, top, bottom }),
    ...rows.flatMap(({ label, rowOf, others }, index) => {
      const y = top + index * block;
      return [
        text(LEFT - 12, y + (groups.length * LINE) / 2 + 4, label, { anchor: 'end', weight: label === 'Mean' ? 600 : 400 }),
        ...others.map((value) => publishedMark(x(value), { top: y, bottom: y + groups.length * LINE })),
        ...groups.flatMap(({ method, members }, place) => {
          const values = members.map(rowOf).filter((value) => value !== undefined);
          return mark(values, { y: y + place * LINE + LINE / 2, color: methodColor(method), x });
        }),
      ];
    }),
  ];
  return figure({ width, height: bottom + 32, title, body });
}

function keyOf(groups: readonly Group<ReportRun>[]): string {
  const several = groups.some(({ members }) => members.length > 1);
  return `lines: 95 % intervals${several ? '; of several runs a dot each, mean [lowest, highest]' : ''}`;
}

function legendOf(
  groups: readonly Group<ReportRun>[],
  { width, published }: { width: number; published: string[] },
): { body: string[]; height: number } {
  const entries = [
    ...groups.map(({ label, method }) => ({ content: `\u25CF ${label}`, color: methodColor(method), weight: 600 })),
    ...published.map((label) => ({ content: `\u254E ${label}, published`, color: QUIET, weight: 400 })),
  ];
  let x = LEFT;
  let line = 0;
  const body = entries.map(({ content, color, weight }) => {
    const own = textWidth(content, 11) + 16;
    if (x > LEFT && x + own > width) {
      x = LEFT;
      line += 1;
    }
    const entry = text(x, HEAD + line * LEGEND_LINE, content, { color, weight });
    x += own;
    return entry;
  });
  return { body, height: (line + 1) * LEGEND_LINE };
}

interface Place {
  x: (value: number) => number;
  top: number;
  bottom: number;
}

function grid(start: number, { x, top, bottom }: Place): string[] {
  const ticks = Array.from({ length: Math.round((1 - start) * 10) + 1 }, (_, i) => round(start + i / 10));
  return ticks.flatMap((tick) => [
    polyline(
      [
        [x(tick), top - 6],
        [x(tick), bottom],
      ],
      { color: FAINT, width: tick === 0.5 ? 1.5 : 0.5 },
    ),
    text(x(tick), bottom + 16, tick.toFixed(1), { color: QUIET, anchor: 'middle' }),
  ]);
}

function publishedMark(x: number, { top, bottom }: { top: number; bottom: number }): string {
  return polyline(
    [
      [x, top],
      [x, bottom],
    ],
    { color: QUIET, width: 1, dash: '3 2' },
  );
}

/** One run: its dot and interval. Several: a dot each, and their mean with the lowest and the highest in words. */
function mark(values: readonly ReportAuc[], { y, color, x }: { y: number; color: string; x: (value: number) => number }): string[] {
  const side = LEFT + PLOT_WIDTH + 14;
  const [first, second] = values;
  const known = values.flatMap(({ auc }) => (auc === null ? [] : [auc]));
  const mean = meanOf(known);
  if (mean === null) return first ? [text(side, y + 4, first.reason ?? 'not measured', { color: QUIET, size: 10 })] : [];
  if (second) {
    const range = `${mean.toFixed(3)} [${Math.min(...known).toFixed(3)}, ${Math.max(...known).toFixed(3)}]`;
    return [
      ...known.map((value) => circle(x(value), y, { radius: 2.5, color, opacity: 0.6 })),
      text(side, y + 4, range, { color, size: 10 }),
    ];
  }
  const interval = aucInterval(first!);
  return [
    ...(interval
      ? [
          polyline(
            [
              [x(interval[0]), y],
              [x(interval[1]), y],
            ],
            { color, width: 1.5 },
          ),
        ]
      : []),
    circle(x(mean), y, { radius: 3.5, color }),
    text(side, y + 4, aucText(first!), { color, size: 10 }),
  ];
}
