import { CxrError, type Finding, findingLabel } from '@cxr-lens/data';
import { FEW_CASES_REASON, type LocalizationCurve, type LocalizationResult, localizationOfIous } from '@cxr-lens/eval';
import type { CommandModule } from '../command.ts';
import { type MeasuredAucs, measureAucs } from '../metrics/auc.ts';
import type { AucDifferences } from '../metrics/difference.ts';
import { type MeasuredMaps, measureMaps } from '../metrics/maps.ts';
import { wholeNumber } from '../numbers.ts';
import { printResult } from '../output.ts';

interface AucOptions {
  scores: string;
  labels: string;
  against?: string;
  patients?: string;
  seed: string;
  json?: true;
}

interface LocalizationOptions {
  maps: string;
  boxes: string;
  patients?: string;
  threshold?: string;
  seed: string;
  json?: true;
}

async function runAuc({ json, seed, ...request }: AucOptions): Promise<void> {
  const measured = await measureAucs({ ...request, seed: wholeNumber('--seed', seed) }, note);
  const { leftOut, matchedByBaseName } = measured;
  if (leftOut.labels > 0) note(`${counted(leftOut.labels, 'image')} of ${request.labels} without scores left out`);
  if (matchedByBaseName > 0) note(`${counted(matchedByBaseName, 'image')} matched by name without folder and extension`);
  printResult({ json }, measured, aucText(measured));
}

async function runLocalization(options: LocalizationOptions): Promise<void> {
  const seed = wholeNumber('--seed', options.seed);
  const threshold = options.threshold === undefined ? undefined : wholeNumber('--threshold', options.threshold);
  if (threshold !== undefined && threshold > 255) throw new CxrError('BAD_INPUT', `--threshold ${threshold}: expected 0 to 255.`);
  const measured = await measureMaps(options);
  const { pairs, missing, unused, unboxed } = measured;
  if (missing.length > 0) note(`${counted(missing.length, 'box', 'boxes')} without a map left out, the first: ${missing[0]}`);
  if (unused > 0) note(`${counted(unused, 'map')} without a box left out`);
  const others = Object.entries(unboxed);
  const names = others.map(([finding, count]) => `${finding} ${count}`).join(', ');
  if (others.length > 0) note(`${counted(unboxedCount(unboxed), 'map')} of findings that no box list marks left out: ${names}`);
  const result = localizationOfIous(pairs, { seed, ...(threshold === undefined ? {} : { threshold }) });
  printResult(options, localizationJson(result, measured), localizationText(result, measured));
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function note(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

function aucText({ findings, mean, meanBootstrap, patients, images, difference }: MeasuredAucs): string {
  const lines = Object.entries(findings).map(([finding, { auc: value, ci, bootstrap, positives, negatives, reason }]) => {
    const few = reason === FEW_CASES_REASON;
    const numbers = `${cell(value, 4)}  ${few ? FEW_CASES_REASON.padEnd(16) : interval(bootstrap === undefined ? ci : bootstrap)}`;
    return `${findingLabel(finding as Finding).padEnd(20)}${numbers}  ${String(positives).padStart(8)}  ${String(negatives).padStart(8)}  ${few ? '' : (reason ?? '')}`.trimEnd();
  });
  const head = `${'finding'.padEnd(20)}AUC     ${(patients === null ? '95 % (DeLong)' : '95 % (patients)').padEnd(16)}  positive  negative`;
  const unit =
    patients === null
      ? `Intervals over ${images} images, taken as independent; --patients gives intervals over patients.`
      : `Intervals over ${patients} patients with ${images} images (bootstrap).`;
  const last = `${'mean'.padEnd(20)}${cell(mean, 4)}  ${interval(meanBootstrap ?? null)}`.trimEnd();
  return [head, ...lines, last, unit, ...(difference ? ['', differenceText(difference)] : [])].join('\n');
}

function differenceText({ a, b, method, findings, mean }: AucDifferences): string {
  const row = (name: string, { difference, ci, adjustedP }: AucDifferences['mean'], reason = '') => {
    const p = adjustedP === null ? '-' : adjustedP < 0.0001 ? '<0.0001' : adjustedP.toFixed(4);
    const signed = difference === null ? '-' : `${difference < 0 ? '' : '+'}${difference.toFixed(4)}`;
    const range = ci ? `${ci[0].toFixed(4)} to ${ci[1].toFixed(4)}` : '';
    return `${name.padEnd(20)}${signed.padEnd(11)} ${range.padEnd(18)}  ${p.padEnd(10)}  ${reason}`.trimEnd();
  };
  const rows = Object.entries(findings).map(([finding, one]) => row(findingLabel(finding as Finding), one, one.reason));
  const title = `AUC of ${a} minus AUC of ${b}, ${method}; p adjusted over the findings (Holm)`;
  return [title, `${'finding'.padEnd(20)}${'difference'.padEnd(11)} ${'95 %'.padEnd(18)}  adjusted p`, ...rows, row('mean', mean)].join(
    '\n',
  );
}

function localizationJson({ protocol, findings }: LocalizationResult, { pairs, missing, unused, unboxed, unit }: MeasuredMaps): unknown {
  const entry = ({ pairs: n, meanIou, threshold, points, reason }: LocalizationCurve) => ({
    n,
    meanIou,
    threshold,
    accuracy: Object.fromEntries(points.map(({ iouThreshold, accuracy }) => [String(iouThreshold), accuracy])),
    intervals: Object.fromEntries(
      points.map(({ iouThreshold, low, high }) => [String(iouThreshold), low === null || high === null ? null : [low, high]]),
    ),
    ...(reason === null ? {} : { reason }),
  });
  return {
    protocol,
    findings: Object.fromEntries(Object.entries(findings).map(([finding, curve]) => [finding, entry(curve)])),
    patients: unit === 'patients' ? patientCount(pairs) : null,
    counts: {
      pairs: pairs.length,
      boxesWithoutMap: missing.length,
      mapsWithoutBox: unused,
      mapsOfFindingsWithoutBoxes: unboxedCount(unboxed),
    },
  };
}

function localizationText({ protocol, findings }: LocalizationResult, { pairs, unit }: MeasuredMaps): string {
  const rows = Object.entries(findings).flatMap(([finding, { pairs: n, meanIou, threshold, points, reason }]) => {
    const accuracy = points.map((point) => cell(point.accuracy, 3).padStart(7)).join('');
    const numbers = `${String(n).padStart(5)}${String(threshold ?? '-').padStart(11)}${cell(meanIou, 3).padStart(10)}${accuracy}`;
    const bound = (name: 'low' | 'high', label: string) =>
      label.padStart(40) + points.map((point) => cell(point[name], 3).padStart(7)).join('');
    const bounds = points.some(({ low }) => low !== null) ? [bound('low', '95 % from'), bound('high', 'to')] : [];
    return [`${finding.padEnd(14)}${numbers}  ${reason ?? ''}`.trimEnd(), ...bounds];
  });
  const head = `${'finding'.padEnd(14)}pairs  threshold  mean IoU${findings.Atelectasis.points.map((point) => `T ${point.iouThreshold}`.padStart(7)).join('')}`;
  const over =
    unit === 'patients'
      ? `Intervals over ${patientCount(pairs)} patients.`
      : 'The patients of some images are not known, and each of these counts as a patient of its own; --patients names them.';
  return [`Localisation accuracy at T(IoU), protocol ${protocol.name}: ${protocol.description}`, head, ...rows, over].join('\n');
}

function patientCount(pairs: MeasuredMaps['pairs']): number {
  return new Set(pairs.map(({ patientId }) => patientId)).size;
}

function unboxedCount(unboxed: MeasuredMaps['unboxed']): number {
  return Object.values(unboxed).reduce((total, count) => total + count, 0);
}

function interval(ci: readonly [number, number] | null): string {
  return (ci ? `${ci[0].toFixed(4)} to ${ci[1].toFixed(4)}` : '').padEnd(16);
}

function cell(value: number | null, digits: number): string {
  return value === null ? '-'.padEnd(digits + 2) : value.toFixed(digits);
}

const AUC_HELP = `
Cells are separated by comma, semicolon or tab. Images are matched by name, else by name without folder and extension.
Columns that are no finding, and images without scores, are left out with a note. Numbers may have a decimal comma if all have it.
An image listed twice, an ambiguous name and a score without a label are errors.`;

const LOCALIZATION_HELP = `
Images are matched by name without folder and extension. Maps of findings that no box list marks, maps without a box and boxes
without a map are left out and counted.`;

export const command: CommandModule = {
  configure(program) {
    program
      .command('auc')
      .description("AUC with intervals of anybody's scores against labels, and the paired difference of two files of scores")
      .requiredOption('--scores <csv>', 'a column of images ("Image Index", "image", "path" ...) and one column a finding')
      .requiredOption('--labels <csv>', 'the same images with NIH\'s "Finding Labels", or with one column of 0 and 1 a finding')
      .option('--patients <column|csv>', 'gives intervals over patients: a column of the labels, or a file of images and patients')
      .option('--against <csv>', 'scores of the same images by another model: gives the paired difference, --scores minus --against')
      .option('--seed <number>', 'of the bootstrap over patients', '0')
      .option('--json', 'one JSON document on stdout')
      .addHelpText('after', AUC_HELP)
      .action(runAuc);
    program
      .command('localization')
      .description("localisation accuracy of anybody's maps against the NIH boxes")
      .requiredOption('--maps <folder>', '<image>.<Finding>.npy, [height, width], of any number type and order')
      .requiredOption('--boxes <csv>', 'NIH box list, in pixels of the 1024 x 1024 files')
      .option('--patients <column|csv>', "a column of the boxes, or a file of images and patients; default: the number in NIH's file names")
      .option('--threshold <0..255>', 'one fixed threshold, no folds')
      .option('--seed <number>', 'of folds and bootstrap', '0')
      .option('--json', 'one JSON document on stdout')
      .addHelpText('after', LOCALIZATION_HELP)
      .action(runLocalization);
  },
};
