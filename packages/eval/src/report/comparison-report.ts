import type { RunComparison } from '../compare/types.ts';
import { VERDICT_RESAMPLES } from '../compare/verdict.ts';
import { aucComparison, localizationComparison, protocolNote, VERDICT_NOTE } from './comparison-section.ts';
import type { ReportInput } from './types.ts';

export interface ComparisonReportInput {
  dataSet: ReportInput['dataSet'];
  comparisons: readonly RunComparison[];
  /** Warnings about runs, in sentences, to be read before their numbers. */
  warnings: readonly string[];
  /** Further lines for the head: runs, protocols, ... */
  details: Record<string, string>;
  /** What could not be compared, and why. */
  missing: readonly string[];
}

/** Runs side by side as Markdown, in the tables and words of the report: all findings of every comparison. */
export function renderComparison({ dataSet, comparisons, warnings, details, missing }: ComparisonReportInput): string {
  const facts = { 'data set': `${dataSet.name}, ${dataSet.images} test images`, ...details, resamples: String(VERDICT_RESAMPLES) };
  return [
    `# Compared on ${dataSet.name}${dataSet.synthetic ? ', measured on phantoms' : ''}`,
    ...warnings.map((warning) => `**${warning}**`),
    Object.entries(facts)
      .map(([key, value]) => `- ${key}: ${value}`)
      .join('\n'),
    ...comparisons.flatMap((one) => [
      `## ${one.a} over ${one.b}`,
      ...protocolNote(one),
      ...localizationComparison(one),
      ...aucComparison(one),
    ]),
    ...missing,
    VERDICT_NOTE,
  ].join('\n\n');
}
