/** What a trial is given. */
export interface Conditions {
  full: boolean;
  /** How many times processes are killed. */
  rounds: number;
  signal: AbortSignal;
  /** Progress for a person. */
  say: (line: string) => void;
}

/** One row of the table. */
export interface Outcome {
  what: string;
  rounds: number;
  acknowledged: number;
  /** Of what was acknowledged: rows or bytes that are not there, or there twice. */
  lost: number;
  /** The longest that GET /healthz waited for an answer; null where it was not asked. */
  deafSeconds: number | null;
  /** Resident memory of the API at most. */
  peakMb: number | null;
  seconds: number;
  /** What else was counted. */
  notes: string[];
  /** Bounds that were not kept, in sentences. */
  broken: string[];
}

/** A trial that this machine cannot run; the message is the reason. */
export class Skipped extends Error {}

export type Trial = (conditions: Conditions) => Promise<Outcome>;

/** `broken` with the sentence where the bound is not kept. */
export const breaks = (isBroken: boolean, sentence: string): string[] => (isBroken ? [sentence] : []);

const HEADER = ['what', 'rounds', 'acknowledged', 'lost', 'deaf s', 'API MB', 'seconds', 'notes'];

/** As Markdown, so that docs/reliability.md can take it as it is. */
export function table(outcomes: readonly Outcome[]): string {
  const shown = (value: number | null, digits = 0): string => (value === null ? '' : value.toFixed(digits));
  const rows = outcomes.map((one) => [
    one.what,
    shown(one.rounds),
    shown(one.acknowledged),
    shown(one.lost),
    shown(one.deafSeconds, 1),
    shown(one.peakMb),
    shown(one.seconds),
    [...one.notes, ...one.broken.map((sentence) => `BROKEN: ${sentence}`)].join('; '),
  ]);
  return [HEADER, HEADER.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
