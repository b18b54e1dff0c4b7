import type { Axis, Series } from '../../charts/line-chart.tsx';
import type { Cell, Sheet } from '../../charts/sheet.ts';
import { decimal, interval } from '../../lib/format.ts';
import { methodColour, referenceColour, runLabels, runRanks } from '../../lib/methods.ts';
import type { Comparison, Curve, Curves } from './queries.ts';

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

const CONTROLS: Partial<Record<Curve['kind'], string>> = { RANDOM: 'random', CENTRE: 'centre', BEST_REACHABLE: 'reachable' };

/** Its short name at the end of its line; where maps of several sizes are compared, of 12 x 12 maps as `random 12²`. */
function controlLabel({ kind, label }: Curve): string {
  const side = /, (\d+) x \1 maps$/.exec(label)?.[1];
  return `${CONTROLS[kind] ?? label}${side ? ` ${side}²` : ''}`;
}

/** Whether there are controls of maps of several sizes. */
export function hasSizes({ controls }: Curves): boolean {
  return controls.some((curve) => controlLabel(curve).endsWith('²'));
}

/** What is drawn together: one set of curves a finding, all measured by one protocol. */
export interface CurveGroup {
  protocol: Curves['protocol'];
  /** Why it stands apart; null for the comparison's own. */
  reason: string | null;
  curves: Curves[];
}

/** The comparison's own curves, where there are any, and those that stand apart, each over the findings that have them. */
export function curveGroups(comparisons: readonly Comparison[]): CurveGroup[] {
  const groups = new Map<string, CurveGroup>();
  for (const { finding, protocol, runs, controls, references, apart } of comparisons) {
    const sets = [
      ...(runs.some(({ curve }) => curve !== null) ? [{ protocol, reason: null, runs, controls, references }] : []),
      ...apart.map((set) => ({ ...set, references: [] })),
    ];
    for (const { reason, ...set } of sets) {
      const key = `${set.protocol.name} ${reason ?? ''}`;
      const group = groups.get(key) ?? { protocol: set.protocol, reason, curves: [] };
      group.curves.push({ finding, ...set });
      groups.set(key, group);
    }
  }
  return [...groups.values()];
}

/** The curves as series: controls thin grey, references dashed, runs in their method's colour. */
export function curveSeries({ runs, controls, references }: Curves): Series[] {
  const names = runLabels(runs.map(({ run }) => run));
  const ranks = runRanks(runs.map(({ run }) => run));
  return [
    ...controls.map(
      (curve): Series => ({
        id: `control-${curve.label}`,
        label: controlLabel(curve),
        colour: 'var(--control)',
        kind: 'control',
        points: points(curve),
      }),
    ),
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
export function thresholds(drawn: readonly Curves[]): number[] {
  const all = drawn.flatMap(({ runs, controls }) => [...runs.flatMap(({ curve }) => curve ?? []), ...controls]);
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

/** Boxed pairs behind the curves. */
export function pairs({ runs, controls }: Curves): number {
  return Math.max(0, ...runs.map(({ curve }) => curve?.pairs ?? 0), ...controls.map((curve) => curve.pairs));
}

/** A sentence for those who do not see the chart. */
export function describeCurves(curves: Curves, threshold: number): string {
  const read = readout(curveSeries(curves), threshold).map(({ text }) => text);
  const { finding, protocol } = curves;
  return `Localisation accuracy over T(IoU) for ${finding.label} by protocol ${protocol.name}, ${pairs(curves)} pairs. At ${decimal(threshold, 1)}: ${read.join('; ')}.`;
}

/** Every curve of a set with its name: runs, controls, published. */
export function namedCurves({ runs, controls, references }: Curves): { id: string; name: string; curve: Curve }[] {
  const names = runLabels(runs.map(({ run }) => run));
  return [
    ...runs.flatMap(({ run, curve }) => (curve ? [{ id: run.id, name: names.get(run.id)!, curve }] : [])),
    ...[...controls, ...references].map((curve) => ({ id: curve.label, name: curve.label, curve })),
  ];
}

/** The point of a curve at one T(IoU). */
export function pointAt({ points: all }: Curve, threshold: number): Curve['points'][number] | undefined {
  return all.find(({ iouThreshold }) => Math.abs(iouThreshold - threshold) < 1e-9);
}

/** Whether the protocol makes boxes: only then false positives and IoBB are counted. */
export function hasBoxes(curves: Curves): boolean {
  return namedCurves(curves).some(({ curve }) => curve.points.some(({ falsePositives, iobb }) => falsePositives !== null || iobb !== null));
}

/** Every point of every curve, one row each. */
export function curveSheet(sets: readonly Curves[]): Sheet {
  const boxes = sets.some(hasBoxes);
  const rows = sets.flatMap((set) =>
    namedCurves(set).flatMap(({ name, curve }) =>
      curve.points.map(({ iouThreshold, accuracy, low, high, sd, falsePositives, iobb }): Cell[] => [
        set.finding.label,
        set.protocol.name,
        name,
        curve.pairs,
        iouThreshold,
        accuracy,
        low,
        high,
        sd,
        ...(boxes ? [falsePositives, iobb?.accuracy ?? null, iobb?.low ?? null, iobb?.high ?? null, iobb?.falsePositives ?? null] : []),
      ]),
    ),
  );
  return {
    name: sets.length === 1 ? `localisation-${sets[0]!.finding.name}` : 'localisation',
    columns: [
      ...['Finding', 'Protocol', 'Curve', 'Pairs', 'T(IoU)', 'Accuracy', '95 % from', '95 % to', 'SD over folds'],
      ...(boxes ? ['False positives per image', 'Accuracy by IoBB', 'IoBB 95 % from', 'IoBB 95 % to', 'False positives by IoBB'] : []),
    ],
    rows,
  };
}
