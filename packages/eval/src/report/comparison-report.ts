import type { RunComparison } from '../compare/types.ts';
import { aucComparison, curveComparison, testNotes } from './comparison-section.ts';
import type { ReportInput } from './types.ts';

export interface ComparisonReportInput {
  dataSet: ReportInput['dataSet'];
  comparisons: readonly RunComparison[];
  /** Of the bootstrap of the differences. */
  resamples: number;
  /** Further lines for the head: seed, protocol, ... */
  details: Record<string, string>;
  /** What could not be compared, and why. */
  missing: readonly string[];
}

/** Runs side by side as Markdown, in the tables and words of the report: all findings of every comparison. */
export function renderComparison({ dataSet, comparisons, resamples, details, missing }: ComparisonReportInput): string {
  const facts = { 'data set': `${dataSet.name}, ${dataSet.images} test images`, ...details, resamples: String(resamples) };
  return [
    `# Compared on ${dataSet.name}${dataSet.synthetic ? ', measured on phantoms' : ''}`,
    Object.entries(facts)
      .map(([key, value]) => `- ${key}: ${value}`)
      .join('\n'),
    ...comparisons.flatMap((one) => [`## ${one.a} over ${one.b}`, ...curveComparison(one), ...aucComparison(one)]),
    ...missing,
    ...testNotes(resamples),
  ].join('\n\n');
}
