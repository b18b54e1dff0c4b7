import type { Report, ReportInput } from './types.ts';

/** The report of several runs: tables, what can be said about each pathology, figures as SVG. */
export function renderReport({ title }: ReportInput): Report {
  return { markdown: `# ${title}\n`, figures: {} };
}
