import type { OnProgress } from '@cxr-lens/data';
import { PAPER_CLAIMS } from '../compare/claims.ts';
import { compareRuns } from '../compare/compare.ts';
import type { CompareInput, RunComparison, RunResults } from '../compare/types.ts';
import { type Group, groupsOf, type Unit, unitsOf } from './groups.ts';
import type { ReportInput } from './types.ts';

/** Two methods, or variants of them, run by run. */
export interface MethodComparison {
  a: Group<Unit>;
  b: Group<Unit>;
  comparisons: RunComparison[];
}

/** Every method beside Baseline, and those pairs that the paper speaks of; runs of one seed are compared with each other. */
export function methodComparisons(input: ReportInput, onProgress?: OnProgress): MethodComparison[] {
  const groups = groupsOf(unitsOf(input));
  const pairs = groups.flatMap((a) => groups.filter((b) => a !== b && isCompared(a, b)).map((b) => ({ a, b })));
  return pairs.map(({ a, b }) => {
    const runs = partners(a.members, b.members);
    return { a, b, comparisons: runs.map((pair) => compare(pair, { truth: input.truth ?? null, onProgress })) };
  });
}

function isCompared(a: Group<Unit>, b: Group<Unit>): boolean {
  if (b.members[0]!.variant !== undefined) return false;
  if (b.method === 'baseline') return true;
  return a.members[0]!.variant === undefined && PAPER_CLAIMS.some((claim) => claim.a === a.method && claim.b === b.method);
}

/** A run's partner is the run of its seed; without one the run in its place, or the only one. */
function partners(a: readonly Unit[], b: readonly Unit[]): { a: Unit; b: Unit }[] {
  return a.flatMap((run, index) => {
    const sameSeed = run.seed === undefined ? undefined : b.find(({ seed }) => seed === run.seed);
    const partner = sameSeed ?? (b.length === 1 ? b[0] : b[index]);
    return partner ? [{ a: run, b: partner }] : [];
  });
}

function compare({ a, b }: { a: Unit; b: Unit }, options: Pick<CompareInput, 'truth' | 'onProgress'>): RunComparison {
  const side = (unit: Unit): RunResults => ({
    label: unit.label,
    method: unit.variant === undefined ? unit.method : null,
    ious: unit.ious,
    scores: unit.runs.find(({ scores }) => scores)?.scores ?? null,
  });
  return compareRuns({ a: side(a), b: side(b), ...options });
}
