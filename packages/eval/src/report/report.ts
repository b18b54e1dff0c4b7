import { BOXED_FINDINGS, type BoxedFinding, CxrError, FINDINGS, findingLabel } from '@cxr-lens/data';
import { type DifferenceOptions, localizationDifference } from '../localization/difference.ts';
import { IOU_THRESHOLDS, type LocalizationCurve, type LocalizationResult } from '../localization/types.ts';
import { aucFigure, aucInterval } from './auc-figure.ts';
import { localizationFigure } from './localization-figure.ts';
import { table } from './markdown.ts';
import { PAPER_FINDINGS, publishedCurves, WANG_2017_AUC } from './references.ts';
import { statement } from './statement.ts';
import type { Report, ReportAuc, ReportInput, ReportRun } from './types.ts';

const AUC_FIGURE = 'auc.svg';
const LOCALIZATION_FIGURE = 'localization.svg';

/**
 * The report of several runs measured on one data set: what can be said about each pathology, localisation accuracy and AUC as tables
 * and figures, and the commands that made them.
 * @throws CxrError BAD_INPUT for curves of two protocols or two seeds of the folds: they are never drawn as if they were one
 */
export function renderReport(input: ReportInput): Report {
  checkOneProtocol(input);
  const localized = input.runs.some(({ localization }) => localization !== null);
  const markdown = [
    `# ${input.title}`,
    ...head(input),
    ...(localized ? [...comparisonSection(input), ...localizationSection(input)] : []),
    ...aucSection(input),
    ...commandsSection(input),
  ].join('\n\n');
  const figures = { [AUC_FIGURE]: aucFigure(input), ...(localized ? { [LOCALIZATION_FIGURE]: localizationFigure(input) } : {}) };
  return { markdown: `${markdown}\n`, figures };
}

function checkOneProtocol({ runs, controls }: ReportInput): void {
  const results = [...runs.map(({ localization }) => localization), ...Object.values(controls ?? {})].filter((result) => result !== null);
  const [first] = results;
  const other = results.find(({ protocol, seed }) => protocol.name !== first?.protocol.name || seed !== first.seed);
  if (!first || !other) return;
  const name = ({ protocol, seed }: LocalizationResult) => `protocol ${protocol.name}, seed ${seed}`;
  throw new CxrError('BAD_INPUT', `curves of ${name(first)} and of ${name(other)} in one report: expected one protocol and one seed`);
}

function head({ dataSet, runs, details = {} }: ReportInput): string[] {
  const { name, synthetic, images, datasetHash, splitHash } = dataSet;
  const facts: Record<string, string> = {
    'data set': `${name}, ${images} test images`,
    ...(datasetHash ? { 'data hash': datasetHash } : {}),
    ...(splitHash ? { 'split hash': splitHash } : {}),
    runs: runs.map(({ label }) => label).join(', '),
    ...details,
  };
  return [
    ...(synthetic ? ['**Measured on phantoms**: synthetic radiographs with known truth. Nothing here says anything about patients.'] : []),
    Object.entries(facts)
      .map(([key, value]) => `- ${key}: ${value}`)
      .join('\n'),
  ];
}

/** Every other run against the first Baseline. */
function comparisonSection({ runs, dataSet, resamples, seed }: ReportInput): string[] {
  const baseline = runs.find(({ method, localization }) => method === 'baseline' && localization);
  if (!baseline) return [];
  const others = runs.filter((run) => run !== baseline && run.localization);
  if (others.length === 0) return [];
  const options = { seed: seed ?? baseline.localization!.seed, ...(resamples === undefined ? {} : { resamples }) };
  return [
    `## What can be said${dataSet.synthetic ? ', measured on phantoms' : ''}`,
    ...others.flatMap((run) => comparison(run, baseline, options)),
    'Differences are of the localisation accuracy at T(IoU) = 0.3 on the same pairs, with the 95 % interval of a paired bootstrap over patients, each pathology by itself: the intervals are not widened for looking at eight.',
  ];
}

function comparison(run: ReportRun, baseline: ReportRun, options: DifferenceOptions): string[] {
  const differences = BOXED_FINDINGS.map((finding) => ({
    finding,
    difference: localizationDifference(run.localization!.findings[finding], baseline.localization!.findings[finding], options),
  }));
  const names = (wanted: string) =>
    differences.filter(({ difference }) => difference.verdict === wanted).map(({ finding }) => findingLabel(finding));
  const list = (values: string[]) => (values.length > 0 ? values.join(', ') : 'none');
  const rows = differences.map(({ finding, difference }) => {
    const sentence = statement({ finding, a: run.label, b: baseline.label, difference });
    return [findingLabel(finding), sentence, ...(run.method === 'robust' ? [PAPER_FINDINGS[finding]] : [])];
  });
  return [
    `${run.label} over ${baseline.label}: ${list(names('higher'))}. Lower: ${list(names('lower'))}. Cannot be told: ${names('cannot be told').length}.`,
    table(['pathology', 'measured here', ...(run.method === 'robust' ? ['the paper (its Fig. 3)'] : [])], rows),
  ];
}

function localizationSection(input: ReportInput): string[] {
  const protocol = input.runs.find(({ localization }) => localization)!.localization!.protocol;
  return [
    '## Localisation accuracy',
    `Protocol ${protocol.name}: ${protocol.description}`,
    `![Localisation accuracy over T(IoU), eight pathologies](${LOCALIZATION_FIGURE})`,
    'Accuracy with its 95 % interval over patients (folds and thresholds kept). An interval of no width at 0 or 1 means that no resample differs, not that the value is certain.',
    ...BOXED_FINDINGS.flatMap((finding) => findingTable(finding, input)),
    ...publishedCurves(protocol.name).map(({ source }) => `Dashed: ${source}.`),
  ];
}

function findingTable(finding: BoxedFinding, { runs, controls }: ReportInput): string[] {
  const curves: [string, LocalizationCurve][] = [
    ...runs.flatMap(({ label, localization }): [string, LocalizationCurve][] =>
      localization ? [[label, localization.findings[finding]]] : [],
    ),
    ...(controls
      ? ([
          ['best reachable (control)', controls.bestReachable.findings[finding]],
          ['centre prior (control)', controls.centre.findings[finding]],
          ['random (control)', controls.random.findings[finding]],
        ] as [string, LocalizationCurve][])
      : []),
  ];
  const [first] = curves;
  const pairs = first?.[1].pairs ?? 0;
  const reason = first?.[1].reason;
  const title = `### ${findingLabel(finding)}, ${pairs} pairs${reason && pairs > 0 ? ` (${reason})` : ''}`;
  if (pairs === 0) return [title];
  return [
    title,
    table(
      ['', 'threshold', 'mean IoU', ...IOU_THRESHOLDS.map((t) => `T ${t}`)],
      curves.map(([label, curve]) => [
        label,
        curve.threshold === null ? '' : String(curve.threshold),
        number(curve.meanIou, 3),
        ...curve.points.map(({ accuracy, low, high }) => withInterval(accuracy, low === null || high === null ? null : [low, high], 2)),
      ]),
    ),
  ];
}

function aucSection(input: ReportInput): string[] {
  const { runs, dataSet } = input;
  const measured = FINDINGS.filter((finding) => runs.some(({ auc }) => auc[finding]));
  const official = !dataSet.synthetic && dataSet.images === WANG_2017_AUC.images;
  const bootstrapped = runs.some(({ auc }) => Object.values(auc).some(({ bootstrap }) => bootstrap));
  const rows = measured.map((finding) => {
    const first = runs.map(({ auc }) => auc[finding]).find((row) => row);
    return [
      findingLabel(finding),
      String(first?.positives ?? 0),
      ...runs.map(({ auc }) => aucCell(auc[finding])),
      ...(official ? [WANG_2017_AUC.findings[finding].toFixed(3)] : []),
    ];
  });
  const means = runs.map(({ meanAuc, meanAucInterval }) => withInterval(meanAuc, meanAucInterval ?? null, 3));
  return [
    '## AUC',
    `![AUC of every finding with its interval](${AUC_FIGURE})`,
    bootstrapped
      ? '95 % intervals of a bootstrap over patients; DeLong where a finding is too rare for it.'
      : "95 % intervals by DeLong, which takes a patient's images as independent.",
    table(
      ['finding', 'positives', ...runs.map(({ label }) => label), ...(official ? [`published: ${WANG_2017_AUC.label}`] : [])],
      [...rows, ['mean', '', ...means, ...(official ? [WANG_2017_AUC.mean.toFixed(3)] : [])]],
    ),
    ...(official ? [`Published: ${WANG_2017_AUC.source}.`] : []),
  ];
}

function commandsSection({ commands }: ReportInput): string[] {
  return commands.length > 0 ? ['## Commands', `\`\`\`\n${commands.join('\n')}\n\`\`\``] : [];
}

function aucCell(row: ReportAuc | undefined): string {
  if (!row) return '';
  return row.auc === null ? (row.reason ?? '') : withInterval(row.auc, aucInterval(row), 3);
}

function withInterval(value: number | null, interval: [number, number] | null, digits: number): string {
  if (value === null || !interval) return number(value, digits);
  return `${value.toFixed(digits)} (${interval[0].toFixed(digits)} to ${interval[1].toFixed(digits)})`;
}

function number(value: number | null, digits: number): string {
  return value === null ? '' : value.toFixed(digits);
}
