import { CxrError } from '@cxr-lens/data';
import { poolIous } from '../localization/pair-scores.ts';
import { poolLocalization } from '../localization/pool.ts';
import type { IouTable, LocalizationResult, Protocol } from '../localization/types.ts';
import { methodLabel, methodOrder } from './colors.ts';
import { type PublishedCurves, publishedCurves } from './references.ts';
import type { ReportControls, ReportInput, ReportRun } from './types.ts';

/** Runs that differ in nothing but their seed (or their fold): one colour, one label, one row. */
export interface Group<T> {
  label: string;
  method: string;
  members: T[];
}

interface Groupable {
  label: string;
  method: string;
  variant?: string | undefined;
}

/** The curves of one run, or of several that were pooled. */
export interface MeasuredCurves extends Groupable {
  result: LocalizationResult;
}

/** What is drawn together: everything measured by one protocol, but for Generative, which is our addition. */
export interface CurveSet {
  protocol: Protocol;
  generative: boolean;
  /** Of the file names: '' for the first set, then '-nih', '-generative', ... */
  suffix: string;
  groups: Group<MeasuredCurves>[];
  controls: ReportControls[];
  published: PublishedCurves[];
}

/** Groups in the order of the methods; variants after their method, in the order given. */
export function groupsOf<T extends Groupable>(members: readonly T[]): Group<T>[] {
  const groups = new Map<string, T[]>();
  for (const member of members) {
    const key = member.variant === undefined ? member.method : `${member.method}\n${member.variant}`;
    groups.set(key, [...(groups.get(key) ?? []), member]);
  }
  const labelled = [...groups.values()].map((own): Group<T> => {
    const { method, variant, label } = own[0]!;
    const name = variant ?? methodLabel(method);
    return { label: own.length === 1 ? label : `${name} (${own.length} runs)`, method, members: own };
  });
  const isVariant = ({ members: [first] }: Group<T>) => (first!.variant === undefined ? 0 : 1);
  return labelled.sort((a, b) => methodOrder(a.method) - methodOrder(b.method) || isVariant(a) - isVariant(b));
}

/** A run's results by every protocol. */
function resultsOf({ localization, further = [] }: ReportRun): LocalizationResult[] {
  return localization ? [localization, ...further] : [...further];
}

/** What can be compared with another: one run, or those that were pooled, with their first run's scores. */
export interface Unit extends Groupable {
  seed: number | undefined;
  results: LocalizationResult[];
  /** By the main protocol; null without boxes. */
  ious: IouTable | null;
  /** The runs it is made of; their AUCs stand for themselves. */
  runs: ReportRun[];
}

/** Runs with one `pool` become one, protocol by protocol. */
export function unitsOf({ runs, resamples }: Pick<ReportInput, 'runs' | 'resamples'>): Unit[] {
  const units = new Map<string, ReportRun[]>();
  for (const [index, run] of runs.entries()) {
    const key = run.pool === undefined ? `run ${index}` : `pool ${run.pool}`;
    units.set(key, [...(units.get(key) ?? []), run]);
  }
  return [...units.values()].map((own): Unit => {
    const { label, pool, method, variant, seed } = own[0]!;
    const results = own.flatMap(resultsOf);
    const tables = own.flatMap(({ ious }) => ious ?? []);
    const unit = { method, variant, seed, runs: own, ious: tables.length > 0 ? poolIous(tables) : null };
    return pool === undefined ? { ...unit, label, results } : { ...unit, label: pool, results: pooled(results, resamples) };
  });
}

/** One result a protocol. */
function pooled(results: readonly LocalizationResult[], resamples: number | undefined): LocalizationResult[] {
  const names = [...new Set(results.map(({ protocol }) => protocol.name))];
  return names.map((name) => {
    const own = results.filter(({ protocol }) => protocol.name === name);
    return poolLocalization(own, resamples === undefined ? {} : { resamples });
  });
}

/**
 * The curves of a report by protocol, protocol 'paper' first; Generative apart.
 * @throws CxrError BAD_INPUT for curves of one protocol with two seeds of the folds
 */
export function curveSets(input: Pick<ReportInput, 'runs' | 'controls' | 'resamples'>): CurveSet[] {
  const measured = unitsOf(input).flatMap(({ label, method, variant, results }) =>
    results.map((result): MeasuredCurves => ({ label, method, variant, result })),
  );
  const controls: readonly ReportControls[] = controlList(input.controls);
  checkSeeds([
    ...measured.map(({ result }) => result),
    ...controls.flatMap(({ random, centre, bestReachable }) => [random, centre, bestReachable]),
  ]);
  const sets = new Map<string, MeasuredCurves[]>();
  for (const curves of measured) {
    const key = `${curves.method === 'generative' ? 'generative' : ''}\n${curves.result.protocol.name}`;
    sets.set(key, [...(sets.get(key) ?? []), curves]);
  }
  const rank = ([first]: readonly MeasuredCurves[]) =>
    (first!.method === 'generative' ? 2 : 0) + (first!.result.protocol.name === 'paper' ? 0 : 1);
  return [...sets.values()]
    .sort((a, b) => rank(a) - rank(b))
    .map((own, index): CurveSet => {
      const { protocol } = own[0]!.result;
      const generative = own[0]!.method === 'generative';
      const parts = [...(generative ? ['generative'] : []), ...(generative && protocol.name === 'paper' ? [] : [protocol.name])];
      return {
        protocol,
        generative,
        suffix: index === 0 && !generative ? '' : `-${parts.join('-')}`,
        groups: groupsOf(own),
        controls: controls.filter((one) => one.random.protocol.name === protocol.name),
        published: generative ? [] : publishedCurves(protocol.name),
      };
    });
}

function controlList(controls: ReportInput['controls']): readonly ReportControls[] {
  if (controls === null) return [];
  return 'random' in controls ? [controls] : controls;
}

function checkSeeds(results: readonly LocalizationResult[]): void {
  for (const { protocol, seed } of results) {
    const other = results.find((one) => one.protocol.name === protocol.name && one.seed !== seed);
    if (!other) continue;
    const seeds = `seed ${seed} and of seed ${other.seed}`;
    throw new CxrError('BAD_INPUT', `curves of protocol ${protocol.name}, ${seeds}, in one report: expected one seed of the folds`);
  }
}
