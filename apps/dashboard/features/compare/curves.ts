import type { Axis, Series } from '../../charts/line-chart.tsx';
import type { Cell, Sheet } from '../../charts/sheet.ts';
import { decimal, interval } from '../../lib/format.ts';
import { methodColour, referenceColour, runLabels, runRanks } from '../../lib/methods.ts';
import type { Comparison, Curve } from './queries.ts';

export const X_AXIS: Axis = {
  label: 'T(IoU)',
  domain: [0.1, 0.7],
  ticks: [0.1, 0.3, 0.5, 0.7],
  format: (value) => decimal(value, 1),
};

/** Accuracy is a share: its axis is 0 to 1, whatever the curves reach. */
export const Y_AXIS: Omit<Axis, 'label'> = {
  domain: [0, 1],
  ticks: [0, 0.5, 1],
  format: (value) => decimal(value, 1),
};

/** Short names at the ends of the lines; where maps of several sizes are compared the label says after a comma of which the control is. */
const CONTROLS: Partial<Record<Curve['kind'], string>> = { RANDOM: 'random', CENTRE: 'centre', BEST_REACHABLE: 'reachable' };

/** The comparison's curves as series: controls thin grey, references dashed, runs in their method's colour. */
export function curveSeries({ runs, controls, references }: Comparison): Series[] {
  const names = runLabels(runs.map(({ run }) => run));
  const ranks = runRanks(runs.map(({ run }) => run));
  return [
    ...controls.map((curve): Series => {
      const control = CONTROLS[curve.kind];
      return {
        id: `control-${curve.label}`,
        label: control ? [control, ...curve.label.split(', ').slice(1)].join(', ') : curve.label,
        colour: 'var(--control)',
        kind: 'control',
        points: points(curve),
      };
    }),
    ...references.map(
      (curve): Series => ({
        id: `reference-${curve.label}`,
        label: shortReference(curve.label),
        colour: referenceColour(curve.label),
        kind: 'reference',
        points: points(curve),
      }),
    ),
    ...runs.flatMap(({ run, curve }): Series[] =>
      curve
        ? [
            {
              id: run.id,
              label: names.get(run.id)!,
              colour: methodColour(run.method.name),
              kind: 'run',
              rank: ranks.get(run.id)!,
              points: points(curve),
            },
          ]
        : [],
    ),
  ];
}

/** `Wang et al. 2017` stands as `Wang 2017` at a line's end. */
function shortReference(label: string): string {
  return label.replace(' et al.', '');
}

function points(curve: Curve): Series['points'] {
  return curve.points.map(({ iouThreshold, accuracy, low, high }) => ({ x: iouThreshold, y: accuracy, low, high }));
}

/** The values of T(IoU) at which anything was measured, ascending. */
export function thresholds(comparisons: readonly Comparison[]): number[] {
  const all = comparisons.flatMap(({ runs, controls }) => [...runs.flatMap(({ curve }) => curve ?? []), ...controls]);
  return [...new Set(all.flatMap((curve) => curve.points.map(({ iouThreshold }) => iouThreshold)))].sort((a, b) => a - b);
}

/** What each run reaches at one T(IoU), in words. */
export function readout(series: readonly Series[], threshold: number): { id: string; colour: string; text: string }[] {
  return series
    .filter(({ kind }) => kind === 'run')
    .map(({ id, label, colour, points }) => {
      const point = points.find(({ x }) => Math.abs(x - threshold) < 1e-9);
      const value = point?.y === null || point === undefined ? 'no curve' : `${decimal(point.y)} ${interval(point.low, point.high)}`;
      return { id, colour, text: `${label} ${value}` };
    });
}

/** Boxed pairs behind the comparison's curves. */
export function pairs({ runs, controls }: Comparison): number {
  return Math.max(0, ...runs.map(({ curve }) => curve?.pairs ?? 0), ...controls.map((curve) => curve.pairs));
}

/** A sentence for those who do not see the chart. */
export function describeCurves(comparison: Comparison, threshold: number): string {
  const read = readout(curveSeries(comparison), threshold).map(({ text }) => text);
  return `Localisation accuracy over T(IoU) for ${comparison.finding.label}, ${pairs(comparison)} pairs. At ${decimal(threshold, 1)}: ${read.join('; ')}.`;
}

/** Every point of every curve, one row each. */
export function curveSheet(comparisons: readonly Comparison[]): Sheet {
  const rows = comparisons.flatMap((comparison) => {
    const names = runLabels(comparison.runs.map(({ run }) => run));
    const curves = [
      ...comparison.runs.flatMap(({ run, curve }) => (curve ? [{ curve, name: names.get(run.id)! }] : [])),
      ...comparison.controls.map((curve) => ({ curve, name: curve.label })),
      ...comparison.references.map((curve) => ({ curve, name: curve.label })),
    ];
    return curves.flatMap(({ curve, name }) =>
      curve.points.map(({ iouThreshold, accuracy, low, high, sd }): Cell[] => [
        comparison.finding.label,
        name,
        curve.pairs,
        iouThreshold,
        accuracy,
        low,
        high,
        sd,
      ]),
    );
  });
  return {
    name: comparisons.length === 1 ? `localisation-${comparisons[0]!.finding.name}` : 'localisation',
    columns: ['Finding', 'Curve', 'Pairs', 'T(IoU)', 'Accuracy', '95 % from', '95 % to', 'SD over folds'],
    rows,
  };
}
