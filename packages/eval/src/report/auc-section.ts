import { FINDINGS, findingLabel } from '@cxr-lens/data';
import { FEW_CASES, FEW_CASES_REASON, isFewCases } from '../auc/cases.ts';
import { aucInterval, aucText, meanRow } from './auc-figure.ts';
import { isOfficial } from './csv.ts';
import { type Group, groupsOf } from './groups.ts';
import { table, withRange } from './markdown.ts';
import { PUBLISHED_AUC } from './references.ts';
import type { ReportAuc, ReportInput, ReportRun } from './types.ts';

const FEW_CASES_NOTE = `"${FEW_CASES_REASON}": under ${FEW_CASES} images with the finding, or under ${FEW_CASES} without it; such an AUC has no interval, nor has a mean that it is in.`;

/** Figures and table of the AUCs. */
export function aucSection({ runs, dataSet }: ReportInput, { figures, csv }: { figures: readonly string[]; csv: string }): string[] {
  const groups = groupsOf(runs);
  const measured = FINDINGS.filter((finding) => runs.some(({ auc }) => auc[finding]));
  const published = isOfficial(dataSet) ? PUBLISHED_AUC : [];
  const several = groups.some(({ members }) => members.length > 1);
  const few = runs.some(({ auc }) => Object.values(auc).some(isFewCases));
  const rows = measured.map((finding) => [
    findingLabel(finding),
    String(runs.map(({ auc }) => auc[finding]).find((row) => row)?.positives ?? 0),
    ...groups.map((group) => aucCell(group, ({ auc }) => auc[finding])),
    ...published.map(({ findings }) => findings[finding].toFixed(3)),
  ]);
  const means = ['mean', '', ...groups.map((group) => aucCell(group, meanRow)), ...published.map(({ mean }) => mean.toFixed(3))];
  const header = [
    'finding',
    'positives',
    ...groups.map(({ label }) => label),
    ...published.map(({ label, split }) => `published: ${label}${split === 'official' ? '' : ', another split'}`),
  ];
  return [
    '## AUC',
    ...figures.map((figure) => `![AUC of every finding with its interval](${figure})`),
    [
      ...intervalNote(runs),
      ...(few ? [FEW_CASES_NOTE] : []),
      ...(several ? [`Of several runs: mean [lowest, highest]; each of them is in ${csv}.`] : []),
    ].join(' '),
    table(header, [...rows, means]),
    ...published.map(
      ({ label, source, split }) => `${label}: ${source}${split === 'official' ? '' : '; not to be ranked with the others'}.`,
    ),
  ];
}

/** Which intervals there are; nothing where there are none. */
function intervalNote(runs: readonly ReportRun[]): string[] {
  const rows = runs.flatMap(({ auc }) => Object.values(auc)).filter((row) => aucInterval(row) !== null);
  if (rows.length === 0) return [];
  return rows.some(({ bootstrap }) => bootstrap)
    ? ['95 % intervals of a bootstrap over patients.']
    : ["95 % intervals by DeLong, which takes a patient's images as independent."];
}

function aucCell({ members }: Group<ReportRun>, rowOf: (run: ReportRun) => ReportAuc | undefined): string {
  const rows = members.map(rowOf).filter((row) => row !== undefined);
  const [only, ...others] = rows;
  if (!only) return '';
  if (rows.every(({ auc }) => auc === null)) return only.reason ?? '';
  return others.length > 0
    ? withRange(
        rows.map(({ auc }) => auc),
        3,
      )
    : aucText(only);
}
