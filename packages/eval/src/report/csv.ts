import { BOXED_FINDINGS, type BoxedFinding, FINDINGS } from '@cxr-lens/data';
import { FEW_CASES_REASON, isFewCases } from '../auc/cases.ts';
import type { RunComparison } from '../compare/types.ts';
import type { Verdict } from '../compare/verdict.ts';
import { IOU_THRESHOLDS, type LocalizationCurve, type NihCurve } from '../localization/types.ts';
import { meanRow } from './auc-figure.ts';
import type { CurveSet } from './groups.ts';
import { OFFICIAL_TEST_IMAGES, PUBLISHED_AUC } from './references.ts';
import type { ReportInput, ReportRun } from './types.ts';

type Cell = string | number | null | undefined;

/** RFC 4180 with a header; numbers in full, what is not known empty. */
function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

function cell(value: Cell): string {
  const content = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(content) ? `"${content.replaceAll('"', '""')}"` : content;
}

/** Whether the images are those of the official test split, so that published numbers may stand beside. */
export function isOfficial({ synthetic, images }: ReportInput['dataSet']): boolean {
  return !synthetic && images === OFFICIAL_TEST_IMAGES;
}

/** Fig. 2 as numbers: one row a run and finding, `mean` for the mean; on the official test split published numbers with their split. */
export function aucCsv({ runs, dataSet }: Pick<ReportInput, 'runs' | 'dataSet'>): string {
  const header = 'kind,run,method,seed,finding,auc,delong_low,delong_high,variance,patients_low,patients_high,positives,negatives,reason';
  const rowsOf = (run: ReportRun): Cell[][] => {
    const names = ['run', run.label, run.method, run.seed];
    const { auc, ci, reason } = meanRow(run);
    return [
      ...FINDINGS.flatMap((finding): Cell[][] => {
        const row = run.auc[finding];
        if (!row) return [];
        const few = isFewCases(row);
        const [patients, delong] = few ? [[], []] : [row.bootstrap ?? [], row.ci ?? []];
        const numbers = [row.auc, delong[0], delong[1], row.variance, patients[0], patients[1], row.positives, row.negatives];
        return [[...names, finding, ...numbers, few ? FEW_CASES_REASON : row.reason]];
      }),
      [...names, 'mean', auc, null, null, null, ci?.[0], ci?.[1], null, null, reason],
    ];
  };
  const published = isOfficial(dataSet) ? PUBLISHED_AUC : [];
  const none = Array<Cell>(7).fill(null);
  return csv(header.split(','), [
    ...runs.flatMap(rowsOf),
    ...published.flatMap(({ label, split, mean, findings }) => [
      ...FINDINGS.map((finding): Cell[] => ['published', label, null, null, finding, findings[finding], ...none, `${split} split`]),
      ['published', label, null, null, 'mean', mean, ...none, `${split} split`],
    ]),
  ]);
}

interface CurveRow {
  kind: 'run' | 'control' | 'published';
  label: string;
  method: string | null;
  curve: Pick<LocalizationCurve, 'pairs' | 'points' | 'threshold' | 'meanIou' | 'reason'> & Partial<NihCurve>;
}

/** Fig. 3 as numbers: one row a curve, finding and T(IoU), controls and published curves included; every row names its protocol. */
export function curvesCsv(sets: readonly CurveSet[]): string {
  const header =
    'protocol,kind,run,method,finding,pairs,t_iou,accuracy,low,high,sd,threshold,mean_iou,false_positives,iobb_accuracy,iobb_false_positives,reason';
  const rows = sets.flatMap((set) =>
    BOXED_FINDINGS.flatMap((finding) =>
      curveRows(set, finding).flatMap(({ kind, label, method, curve }) =>
        curve.points.map(({ iouThreshold, accuracy, low, high, sd }, t): Cell[] => [
          ...[set.protocol.name, kind, label, method, finding, curve.pairs, iouThreshold, accuracy, low, high, sd],
          ...[curve.threshold, curve.meanIou, curve.falsePositives?.[t], curve.iobb?.points[t]?.accuracy, curve.iobb?.falsePositives?.[t]],
          curve.reason,
        ]),
      ),
    ),
  );
  return csv(header.split(','), rows);
}

function curveRows({ groups, controls, published }: CurveSet, finding: BoxedFinding): CurveRow[] {
  return [
    ...groups.flatMap(({ members }) =>
      members.map(({ label, method, result }): CurveRow => ({ kind: 'run', label, method, curve: result.findings[finding] })),
    ),
    ...controls.flatMap(({ grid, random, centre, bestReachable }) =>
      Object.entries({ random, 'centre prior': centre, 'best reachable': bestReachable }).map(([name, { findings }]): CurveRow => {
        return { kind: 'control', label: grid ? `${name}, ${grid}` : name, method: null, curve: findings[finding] };
      }),
    ),
    ...published.map(({ label, findings }): CurveRow => {
      const points = IOU_THRESHOLDS.map((iouThreshold, t) => {
        return { iouThreshold, accuracy: findings[finding][t]!, low: null, high: null, sd: null };
      });
      return { kind: 'published', label, method: null, curve: { pairs: 0, points, threshold: null, meanIou: null, reason: null } };
    }),
  ];
}

/** Every paired comparison: localisation accuracy in the mean over T and at each T, AUC by bootstrap over patients and by DeLong; the words with the numbers that they come from. */
export function comparisonCsv(comparisons: readonly RunComparison[]): string {
  const header =
    'a,b,protocol_a,protocol_b,measure,test,finding,n,difference,low,high,p,holm_p,the_paper,in_this_data,holm_p_error,verdict';
  const rows = comparisons.flatMap(({ a, b, protocols, localization, auc }) => {
    const names: Cell[] = [a, b, protocols?.a.name, protocols?.b.name];
    const aucNames: Cell[] = [a, b, null, null, 'auc'];
    const numbers = ({ difference, interval, p }: { difference: number | null; interval: [number, number] | null; p: number | null }) =>
      [difference, interval?.[0], interval?.[1], p] as Cell[];
    const words = ({ standardError, direction }: Verdict): Cell[] => [standardError, direction];
    return [
      ...localization.flatMap(({ finding, pairs, mean, at03, points, claim, verdict }): Cell[][] => [
        [
          ...names,
          'accuracy, mean over T',
          'patients',
          finding,
          pairs,
          ...numbers(mean),
          mean.adjustedP,
          claim?.says,
          verdict,
          ...words(mean),
        ],
        ...points.map((point): Cell[] => {
          const adjustedP = point.iouThreshold === at03.iouThreshold ? at03.adjustedP : null;
          const own = [finding, pairs, ...numbers(point), adjustedP];
          return [...names, `accuracy at T ${point.iouThreshold}`, 'patients', ...own, null, null, null, null];
        }),
      ]),
      ...(auc?.findings ?? []).flatMap(({ finding, bootstrap, delong, claim, verdict }): Cell[][] => {
        const { ci: interval, ...rest } = delong;
        return [
          [
            ...aucNames,
            'patients',
            finding,
            auc!.images,
            ...numbers(bootstrap),
            bootstrap.adjustedP,
            claim?.says,
            verdict,
            ...words(bootstrap),
          ],
          [...aucNames, 'DeLong', finding, auc!.images, ...numbers({ ...rest, interval }), delong.adjustedP, null, null, null, null],
        ];
      }),
      ...(auc
        ? [
            [
              ...[...aucNames, 'patients', 'mean', auc.images, ...numbers(auc.mean.bootstrap), null],
              ...[auc.mean.claim?.says, auc.mean.verdict, ...words(auc.mean.bootstrap)],
            ],
          ]
        : []),
    ];
  });
  return csv(header.split(','), rows);
}
