import { BOXED_FINDINGS, findingLabel } from '@cxr-lens/data';
import { FEW_CASES } from '../auc/cases.ts';
import { type ClaimVerdict, COMPARABLE_MARGIN } from '../compare/answer.ts';
import type { PaperClaim } from '../compare/claims.ts';
import type { RunComparison } from '../compare/types.ts';
import { type Direction, VERDICT_RESAMPLES, type Verdict } from '../compare/verdict.ts';
import { pText } from '../words.ts';
import type { MethodComparison } from './comparisons.ts';
import type { Group, Unit } from './groups.ts';
import { table, withInterval } from './markdown.ts';
import type { ReportInput } from './types.ts';

/** How every verdict was reached. */
export const VERDICT_NOTE =
  "A pair's score is its hit, averaged over T(IoU) and over the folds of twenty draws that score it (once, where the protocol has no folds). Differences are paired: each of " +
  `${VERDICT_RESAMPLES.toLocaleString('en')} resamples draws patients and scores both runs on them. Intervals are 95 % ones of each pathology by itself. p-values are adjusted (Holm) over the pathologies of one pair of runs that have ten pairs, those of AUC over the findings with ${FEW_CASES} cases of each class; ` +
  '"higher" and "lower" stand where the adjusted p is below 0.05 by two of its Monte Carlo standard errors. ' +
  `"Comparable" holds where the interval lies within ${COMPARABLE_MARGIN} of zero; a difference that is not detected confirms no equality. All of this is about patients: each comparison is one of two networks, trained once each, and what holds of them need not hold of their methods.`;

/** The verdicts on every two methods, and whether the paper's findings are there. */
export function comparisonSection(methods: readonly MethodComparison[], { dataSet }: Pick<ReportInput, 'dataSet'>): string[] {
  const compared = methods.filter(({ comparisons }) => comparisons.some(({ localization, auc }) => localization.length > 0 || auc));
  if (compared.length === 0) return [];
  return [`## Verdicts${dataSet.synthetic ? ', measured on phantoms' : ''}`, ...compared.flatMap(methodSection), VERDICT_NOTE];
}

function methodSection({ a, b, comparisons }: MethodComparison): string[] {
  const [only, ...others] = comparisons;
  const notes = [...(only ? protocolNote(only) : []), ...[a, b].flatMap((group) => pooledNote(group, comparisons))];
  const body =
    only && others.length === 0
      ? [...localizationComparison(only), ...singleAuc(only)]
      : [...several(comparisons), ...severalAuc(comparisons)];
  return [`### ${a.label} over ${b.label}`, ...notes, ...body];
}

/** Pooled runs have one curve, but each its own scores. */
function pooledNote({ members: [first] }: Group<Unit>, comparisons: readonly RunComparison[]): string[] {
  if (!first || first.runs.length < 2 || !comparisons.some(({ auc }) => auc)) return [];
  return [`AUC of ${first.label}: that of its first run alone, ${first.runs[0]!.label}.`];
}

/** Both protocols, where two runs were measured by different ones. */
export function protocolNote({ a, b, protocols }: RunComparison): string[] {
  if (!protocols || protocols.a.name === protocols.b.name) return [];
  return [`Two protocols: ${a} is measured by protocol ${protocols.a.name}, ${b} by protocol ${protocols.b.name}.`];
}

/** The verdict on each boxed pathology, two runs side by side; nothing without IoUs. */
export function localizationComparison({ a, b, localization }: RunComparison): string[] {
  if (localization.length === 0) return [];
  const names = (wanted: Direction) =>
    localization.filter(({ mean }) => mean.direction === wanted).map(({ finding }) => findingLabel(finding));
  const list = (values: string[]) => (values.length > 0 ? values.join(', ') : 'none');
  const rows = localization.map(({ finding, sentence, at03 }) => [
    findingLabel(finding),
    sentence,
    withInterval(at03.difference, at03.interval, 2),
  ]);
  return [
    `${a} over ${b}: ${list(names('higher'))}. Lower: ${list(names('lower'))}. No difference detected: ${names('no difference detected').length}.`,
    table(['pathology', 'localisation accuracy, mean over T(IoU)', 'at T = 0.3'], rows),
  ];
}

/** One column a pair of runs; the last says in how many of them the paper's finding is there. */
function several(comparisons: readonly RunComparison[]): string[] {
  const measured = comparisons.filter(({ localization }) => localization.length > 0);
  if (measured.length === 0) return [];
  const rows = BOXED_FINDINGS.map((finding, index) => {
    const own = measured.map(({ localization }) => localization[index]!);
    return [findingLabel(finding), ...own.map(({ mean }) => verdictCell(mean, 2)), ...paperCells(own)];
  });
  return ['Localisation accuracy, mean over T(IoU), adjusted p:', paperTable(['pathology', ...runNames(measured)], rows)];
}

/** All findings where the paper speaks of them; else the mean and those that differ. */
function singleAuc(comparison: RunComparison): string[] {
  const { auc } = comparison;
  if (!auc) return [];
  if (auc.mean.claim) return aucComparison(comparison);
  const found = auc.findings.filter(({ bootstrap }) => bootstrap.direction !== 'no difference detected').map(({ sentence }) => sentence);
  const others = auc.findings.length - found.length;
  return [[auc.mean.sentence, ...found, `No difference detected in AUC for ${others} of ${auc.findings.length} findings.`].join(' ')];
}

/** The mean in words and all findings as a table, two runs side by side; nothing without scores. */
export function aucComparison({ auc }: RunComparison): string[] {
  if (!auc) return [];
  const rows = auc.findings.map(({ finding, bootstrap, delong, claim, verdict }) => [
    findingLabel(finding),
    verdictCell(bootstrap, 3),
    delong.adjustedP === null ? (delong.reason ?? '') : differenceCell({ ...delong, interval: delong.ci }, 3),
    ...(auc.mean.claim ? [claim?.says ?? '', verdict ?? ''] : []),
  ]);
  const { bootstrap, claim, verdict } = auc.mean;
  const mean = ['mean', verdictCell(bootstrap, 3), '', ...(claim ? [claim.says, verdict ?? ''] : [])];
  const header = ['AUC', 'difference over patients, adjusted p', 'by DeLong, adjusted p'];
  return [auc.mean.sentence, table(claim ? [...header, 'the paper', 'in this data'] : header, [...rows, mean])];
}

function severalAuc(comparisons: readonly RunComparison[]): string[] {
  const measured = comparisons.filter(({ auc }) => auc);
  const [first] = measured;
  if (!first) return [];
  const means = measured.map(({ auc }) => auc!.mean);
  const mean = ['mean', ...means.map(({ bootstrap }) => verdictCell(bootstrap, 3)), ...paperCells(means)];
  const findings = means.some(({ claim }) => claim) ? first.auc!.findings : [];
  const rows = findings.map(({ finding }) => {
    const own = measured.flatMap(({ auc }) => auc!.findings.filter((row) => row.finding === finding));
    return [findingLabel(finding), ...own.map(({ bootstrap }) => verdictCell(bootstrap, 3)), ...paperCells(own)];
  });
  return ['AUC, adjusted p:', paperTable(['finding', ...runNames(measured)], [...rows, mean])];
}

function runNames(comparisons: readonly RunComparison[]): string[] {
  return comparisons.map(({ a, b }) => `${a} over ${b}`);
}

/** The last two cells of a row are the paper's; without any claim the table has no columns for them. */
function paperTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.some((row) => row.length > header.length)) return table([...header, 'the paper', 'holds in'], rows);
  return table(header, rows);
}

interface CellInput {
  difference: number | null;
  interval: [number, number] | null;
  adjustedP: number | null;
}

/** The word where a difference was found, and the numbers. */
function verdictCell(tested: CellInput & Pick<Verdict, 'direction'>, digits: number): string {
  const { direction } = tested;
  return `${direction === 'no difference detected' ? '' : `${direction}: `}${differenceCell(tested, digits)}`;
}

function differenceCell({ difference, interval, adjustedP }: CellInput, digits: number): string {
  return `${withInterval(difference, interval, digits)}${adjustedP === null ? '' : `, ${pText(adjustedP)}`}`;
}

function paperCells(rows: readonly { claim: PaperClaim | null; verdict: ClaimVerdict | null }[]): string[] {
  const claim = rows.find((row) => row.claim)?.claim;
  if (!claim) return [];
  const count = (wanted: ClaimVerdict) => rows.filter(({ verdict }) => verdict === wanted).length;
  return [claim.says, `${count('holds')} of ${rows.length}; does not hold in ${count('does not hold')}`];
}
