import type { OnProgress } from '@cxr-lens/data';
import { aucFigure } from './auc-figure.ts';
import { aucSection } from './auc-section.ts';
import { methodLabel } from './colors.ts';
import { comparisonSection } from './comparison-section.ts';
import { methodComparisons } from './comparisons.ts';
import { aucCsv, comparisonCsv, curvesCsv, isOfficial } from './csv.ts';
import { epsilonFigure, explanationFigure } from './explanation-figure.ts';
import { type CurveSet, curveSets } from './groups.ts';
import { localizationFigure } from './localization-figure.ts';
import { localizationSection } from './localization-section.ts';
import type { Report, ReportInput } from './types.ts';

const EXPLANATIONS_FIGURE = 'explanations.svg';
const EPSILONS_FIGURE = 'epsilons.svg';
const AUC_TABLE = 'auc.csv';
const LOCALIZATION_TABLE = 'localization.csv';
const COMPARISON_TABLE = 'comparison.csv';

/**
 * The report of any number of runs measured on one data set: the verdict on each pathology beside what the paper found, the paper's
 * figures, tables, the numbers as CSV, and the commands that made them. Every protocol has a figure of its own, and so has Generative.
 * @param onProgress told while the runs' AUCs are resampled
 * @throws CxrError BAD_INPUT for curves of one protocol with two seeds of the folds, pooled runs that share a pair, pictures that are no PNG
 */
export function renderReport(input: ReportInput, onProgress?: OnProgress): Report {
  const { dataSet, explanations, epsilons } = input;
  const sets = curveSets(input);
  const comparisons = methodComparisons(input, onProgress);
  const aucs = aucFigures(input);
  const figures = {
    ...aucs,
    ...Object.fromEntries(sets.map((set) => [figureOf(set), localizationFigure(set, dataSet)])),
    ...(explanations ? { [EXPLANATIONS_FIGURE]: explanationFigure(explanations) } : {}),
    ...(epsilons ? { [EPSILONS_FIGURE]: epsilonFigure(epsilons) } : {}),
  };
  const compared = comparisons.flatMap((one) => one.comparisons);
  const tables = {
    [AUC_TABLE]: aucCsv(input),
    ...(sets.length > 0 ? { [LOCALIZATION_TABLE]: curvesCsv(sets) } : {}),
    ...(compared.length > 0 ? { [COMPARISON_TABLE]: comparisonCsv(compared) } : {}),
  };
  const markdown = [
    `# ${input.title}`,
    ...head(input),
    ...comparisonSection(comparisons, input),
    ...sets.flatMap((set) => localizationSection(set, { figure: figureOf(set), csv: LOCALIZATION_TABLE })),
    ...aucSection(input, { figures: Object.keys(aucs), csv: AUC_TABLE }),
    ...picturesSection(input),
    `Numbers: ${Object.keys(tables).join(', ')}.`,
    ...commandsSection(input),
  ].join('\n\n');
  return { markdown: `${markdown}\n`, figures, tables };
}

function figureOf({ suffix }: CurveSet): string {
  return `localization${suffix}.svg`;
}

function aucFigures({ runs, dataSet }: ReportInput): Record<string, string> {
  const ours = runs.filter(({ method }) => method === 'generative');
  const others = runs.filter(({ method }) => method !== 'generative');
  const options = { synthetic: dataSet.synthetic, official: isOfficial(dataSet) };
  const whose = `${methodLabel('generative')}, an addition to the paper`;
  return {
    ...(others.length > 0 ? { 'auc.svg': aucFigure(others, options) } : {}),
    ...(ours.length > 0 ? { 'auc-generative.svg': aucFigure(ours, { ...options, whose }) } : {}),
  };
}

function head({ dataSet, runs, warnings = [], details = {} }: ReportInput): string[] {
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
    ...warnings.map((warning) => `**${warning}**`),
    Object.entries(facts)
      .map(([key, value]) => `- ${key}: ${value}`)
      .join('\n'),
  ];
}

function picturesSection({ explanations, epsilons }: ReportInput): string[] {
  if (!explanations && !epsilons) return [];
  return [
    '## Explanations',
    ...(explanations ? [`![CAM and saliency, network beside network](${EXPLANATIONS_FIGURE})`, explanations.rule] : []),
    ...(epsilons ? [`![Saliency as epsilon grows](${EPSILONS_FIGURE})`, epsilons.rule] : []),
    'CAM: scaled from its lowest to its highest value, image by image. Saliency: the gradient of the logit, clipped at three standard deviations, grey is zero. A box is where a radiologist saw the pathology.',
  ];
}

function commandsSection({ commands }: ReportInput): string[] {
  return commands.length > 0 ? ['## Commands', `\`\`\`\n${commands.join('\n')}\n\`\`\``] : [];
}
