import { BOXED_FINDINGS, type BoxedFinding, findingLabel } from '@cxr-lens/data';
import { IOU_THRESHOLDS, type LocalizationCurve, type NihCurve } from '../localization/types.ts';
import type { CurveSet } from './groups.ts';
import { number, table, withInterval, withRange } from './markdown.ts';

/** The figure and the tables of one protocol. */
export function localizationSection(set: CurveSet, { figure, csv }: { figure: string; csv: string }): string[] {
  const { protocol, generative, groups, published } = set;
  const several = groups.some(({ members }) => members.length > 1);
  return [
    `## Localisation accuracy, protocol ${protocol.name}${generative ? ', Generative' : ''}`,
    ...(generative ? ['Generative is an addition to the paper, in none of its figures: it stands apart.'] : []),
    `Protocol ${protocol.name}: ${protocol.description}`,
    `![Localisation accuracy over T(IoU), eight pathologies](${figure})`,
    [
      "Accuracy with its 95 % interval over patients: a bootstrap (folds and thresholds kept); where fewer than five pairs hit or fewer than five miss, Wilson's interval with the number of pairs divided by the patients' design effect.",
      ...(several ? [`Of several runs: mean [lowest, highest]; each of them is in ${csv}.`] : []),
    ].join(' '),
    ...BOXED_FINDINGS.flatMap((finding) => findingTable(finding, set)),
    ...boxTables(set),
    ...published.map(({ source, protocol: name }) => `Dashed, protocol ${name}: ${source}.`),
  ];
}

function findingTable(finding: BoxedFinding, { groups, controls }: CurveSet): string[] {
  const rows: [string, LocalizationCurve[]][] = [
    ...groups.map(({ label, members }): [string, LocalizationCurve[]] => [label, members.map(({ result }) => result.findings[finding])]),
    ...controls.flatMap(({ grid, random, centre, bestReachable }) =>
      Object.entries({ 'best reachable': bestReachable, 'centre prior': centre, random }).map(
        ([name, { findings }]): [string, LocalizationCurve[]] => [`${name}${grid ? `, ${grid}` : ''} (control)`, [findings[finding]]],
      ),
    ),
  ];
  const first = rows[0]?.[1][0];
  const pairs = Math.max(0, ...rows.flatMap(([, curves]) => curves.map((curve) => curve.pairs)));
  const title = `### ${findingLabel(finding)}, ${pairs} pairs${first?.reason && pairs > 0 ? ` (${first.reason})` : ''}`;
  if (pairs === 0) return [title];
  return [title, table(['', 'threshold', 'mean IoU', ...IOU_THRESHOLDS.map((t) => `T ${t}`)], rows.map(curveRow))];
}

function curveRow([label, curves]: [string, LocalizationCurve[]]): string[] {
  const [only, ...others] = curves;
  if (others.length > 0) {
    const ious = curves.map(({ meanIou }) => meanIou);
    return [
      label,
      '',
      withRange(ious, 3),
      ...IOU_THRESHOLDS.map((_, t) =>
        withRange(
          curves.map(({ points }) => points[t]!.accuracy),
          2,
        ),
      ),
    ];
  }
  const { threshold, meanIou, points } = only!;
  const accuracies = points.map(({ accuracy, low, high }) => withInterval(accuracy, low === null || high === null ? null : [low, high], 2));
  return [label, threshold === null ? '' : String(threshold), number(meanIou, 3), ...accuracies];
}

/** What protocols that make boxes have besides: false positives per image, and accuracy by intersection over the detected box. */
function boxTables({ groups }: CurveSet): string[] {
  const rows = groups.flatMap(({ members }) =>
    members.flatMap(({ label, result }) =>
      BOXED_FINDINGS.flatMap((finding): string[][] => {
        const { falsePositives, iobb }: Partial<NihCurve> = result.findings[finding];
        if (!falsePositives || !iobb) return [];
        const accuracy = iobb.points.map((point) => number(point.accuracy, 2));
        return [[label, findingLabel(finding), ...falsePositives.map((count) => count.toFixed(2)), ...accuracy]];
      }),
    ),
  );
  if (rows.length === 0) return [];
  return [
    '### False positives, and intersection over the detected box (IoBB)',
    'FP: boxes per image whose IoU is not above T. IoBB: accuracy when a hit is IoBB > T.',
    table(['', 'pathology', ...IOU_THRESHOLDS.map((t) => `FP ${t}`), ...IOU_THRESHOLDS.map((t) => `IoBB ${t}`)], rows),
  ];
}
