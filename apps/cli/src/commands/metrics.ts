import { CxrError, type Finding, findingLabel } from '@cxr-lens/data';
import {
  type Auc,
  auc,
  FEW_CASES_REASON,
  type LocalizationCurve,
  type LocalizationResult,
  localizationOfIous,
  meanAuc,
} from '@cxr-lens/eval';
import type { CommandModule } from '../command.ts';
import { readLabels } from '../metrics/labels.ts';
import { measureMaps } from '../metrics/maps.ts';
import { readScores } from '../metrics/scores.ts';
import { wholeNumber } from '../numbers.ts';
import { printResult } from '../output.ts';

interface AucOptions {
  scores: string;
  labels: string;
  json?: true;
}

interface LocalizationOptions {
  maps: string;
  boxes: string;
  threshold?: string;
  seed: string;
  json?: true;
}

async function runAuc(options: AucOptions): Promise<void> {
  const { images, columns } = await readScores(options.scores);
  const labels = await readLabels(options.labels, images);
  const results = columns.map(({ finding, scores }) => {
    const column = Uint8Array.from(labels, (findings) => (findings.has(finding) ? 1 : 0));
    return [finding, auc(scores, column)] as const;
  });
  const mean = meanAuc(results.map(([, result]) => result));
  printResult(options, { findings: Object.fromEntries(results), mean }, aucText(results, mean));
}

async function runLocalization(options: LocalizationOptions): Promise<void> {
  const seed = wholeNumber('--seed', options.seed);
  const threshold = options.threshold === undefined ? undefined : wholeNumber('--threshold', options.threshold);
  if (threshold !== undefined && threshold > 255) throw new CxrError('BAD_INPUT', `--threshold ${threshold}: expected 0 to 255.`);
  const { pairs, missing, unused } = await measureMaps(options);
  if (missing.length > 0) process.stderr.write(`${missing.length} boxes have no map and are left out, the first: ${missing[0]}\n`);
  if (unused > 0) process.stderr.write(`${unused} maps have no box and are left out\n`);
  const result = localizationOfIous(pairs, { seed, ...(threshold === undefined ? {} : { threshold }) });
  printResult(options, localizationJson(result), localizationText(result));
}

function aucText(results: readonly (readonly [Finding, Auc])[], mean: number | null): string {
  const lines = results.map(([finding, { auc: value, ci, positives, negatives, reason }]) => {
    const few = reason === FEW_CASES_REASON;
    const interval = ci ? `${ci[0].toFixed(4)} to ${ci[1].toFixed(4)}` : few ? reason : '';
    const numbers = `${cell(value, 4)}  ${interval.padEnd(16)}`;
    return `${findingLabel(finding).padEnd(20)}${numbers}  ${String(positives).padStart(6)}  ${String(negatives).padStart(6)}  ${few ? '' : (reason ?? '')}`.trimEnd();
  });
  const head = `${'finding'.padEnd(20)}AUC     95 % (DeLong)     positive  negative`;
  return [head, ...lines, `${'mean'.padEnd(20)}${cell(mean, 4)}`].join('\n');
}

function localizationJson({ protocol, findings }: LocalizationResult): unknown {
  const entry = ({ pairs, meanIou, threshold, points, reason }: LocalizationCurve) => ({
    n: pairs,
    meanIou,
    threshold,
    accuracy: Object.fromEntries(points.map(({ iouThreshold, accuracy }) => [String(iouThreshold), accuracy])),
    ...(reason === null ? {} : { reason }),
  });
  return { protocol, findings: Object.fromEntries(Object.entries(findings).map(([finding, curve]) => [finding, entry(curve)])) };
}

function localizationText({ protocol, findings }: LocalizationResult): string {
  const rows = Object.entries(findings).map(([finding, { pairs, meanIou, threshold, points, reason }]) => {
    const accuracy = points.map((point) => cell(point.accuracy, 3).padStart(7)).join('');
    const numbers = `${String(pairs).padStart(5)}${String(threshold ?? '-').padStart(11)}${cell(meanIou, 3).padStart(10)}${accuracy}`;
    return `${finding.padEnd(14)}${numbers}  ${reason ?? ''}`.trimEnd();
  });
  const head = `${'finding'.padEnd(14)}pairs  threshold  mean IoU${findings.Atelectasis.points.map((point) => `T ${point.iouThreshold}`.padStart(7)).join('')}`;
  return [`Localisation accuracy at T(IoU), protocol ${protocol.name}: ${protocol.description}`, head, ...rows].join('\n');
}

function cell(value: number | null, digits: number): string {
  return value === null ? '-'.padEnd(digits + 2) : value.toFixed(digits);
}

export const command: CommandModule = {
  configure(program) {
    program
      .command('auc')
      .description("AUC with DeLong's interval of anybody's scores against the NIH labels")
      .requiredOption('--scores <csv>', '"Image Index" or "image", and one column a finding')
      .requiredOption('--labels <csv>', 'NIH label list: "Image Index" and "Finding Labels"; further rows are ignored')
      .option('--json', 'one JSON document on stdout')
      .action(runAuc);
    program
      .command('localization')
      .description("localisation accuracy of anybody's maps against the NIH boxes")
      .requiredOption('--maps <folder>', '<image without .png>.<Finding>.npy, [height, width]')
      .requiredOption('--boxes <csv>', 'NIH box list, in pixels of the 1024 x 1024 files')
      .option('--threshold <0..255>', 'one fixed threshold, no folds')
      .option('--seed <number>', 'of folds and bootstrap', '0')
      .option('--json', 'one JSON document on stdout')
      .action(runLocalization);
  },
};
