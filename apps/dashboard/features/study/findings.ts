import type { ExplainedRun, Explanation, StudyImage } from './queries.ts';

export interface FindingRow {
  name: string;
  label: string;
  /** One a shown run, in the runs' order; undefined while it is still being worked out. */
  answers: (Explanation | undefined)[];
}

/** The runs that have explained the image, in the API's order (oldest first). */
export function explainedRuns({ explanations }: Pick<StudyImage, 'explanations'>): ExplainedRun[] {
  return [...new Map(explanations.map(({ run }) => [run.id, run])).values()];
}

/** Runs that are shown unless the reader asks for others: those in use, or the newest of each method. */
export function defaultRuns(runs: readonly ExplainedRun[]): string[] {
  const active = runs.filter((run) => run.active);
  if (active.length > 0) return active.map(({ id }) => id);
  return [...new Map(runs.map((run) => [run.method.name, run.id])).values()];
}

/**
 * Findings with each run's answer, highest calibrated probability first. A run without calibration gives no probability: such
 * findings follow, in the findings' order, because their scores are on another scale.
 */
export function findingRows({ explanations }: Pick<StudyImage, 'explanations'>, runs: readonly string[]): FindingRow[] {
  return [...answersByFinding(explanations, runs, []).values()].sort((a, b) => highest(b) - highest(a));
}

/** The same while some answers are still to come: every finding, in the findings' order, so that nothing jumps. */
export function awaitedRows(
  { explanations }: Pick<StudyImage, 'explanations'>,
  runs: readonly string[],
  findings: readonly { name: string; label: string }[],
): FindingRow[] {
  return [...answersByFinding(explanations, runs, findings).values()];
}

function answersByFinding(
  explanations: StudyImage['explanations'],
  runs: readonly string[],
  findings: readonly { name: string; label: string }[],
): Map<string, FindingRow> {
  const empty = ({ name, label }: { name: string; label: string }): FindingRow => ({ name, label, answers: runs.map(() => undefined) });
  const rows = new Map<string, FindingRow>(findings.map((finding) => [finding.name, empty(finding)]));
  for (const explanation of explanations) {
    const { name } = explanation.finding;
    const place = runs.indexOf(explanation.run.id);
    if (place < 0) continue;
    const row = rows.get(name) ?? empty(explanation.finding);
    row.answers[place] = explanation;
    rows.set(name, row);
  }
  return rows;
}

function highest({ answers }: FindingRow): number {
  return Math.max(-1, ...answers.map((answer) => answer?.probability ?? -1));
}

/** What the bar shows: the calibrated probability, else the sigmoid of the logit, which is a score and no probability. */
export function score({ probability, logit }: Pick<Explanation, 'probability' | 'logit'>): { value: number; calibrated: boolean } {
  return probability === null ? { value: 1 / (1 + Math.exp(-logit)), calibrated: false } : { value: probability, calibrated: true };
}
