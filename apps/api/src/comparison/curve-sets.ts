import type { Finding } from '@cxr-lens/data';
import type { Protocol } from '@cxr-lens/eval';
import { CardSchema, METHODS, parseMethod } from '@cxr-lens/model/spec';
import type { AucResult, Run } from '@cxr-lens/prisma';
import { z } from 'zod';
import { methodNote } from '../methods.ts';
import { listed } from '../words.ts';
import { type EvaluationWithResults, mainEvaluation, protocolOf } from './measured.ts';
import { type Curve, curveOf } from './published.ts';

export interface ComparedRun {
  run: Run;
  /** What the numbers come from. */
  evaluation: EvaluationWithResults | null;
  auc: AucResult | null;
  curve: Curve | null;
}

/** Curves that may be drawn on one pair of axes: measured by one protocol, with its controls. */
export interface CurveSet {
  protocol: Protocol;
  runs: ComparedRun[];
  controls: Curve[];
}

/** A set that is not drawn with the others, and why. */
export interface ApartSet extends CurveSet {
  reason: string;
}

interface Asked {
  finding: Finding;
  protocol: string;
  /** A run that was not measured by the protocol has the curve of its own one, to be drawn apart; else it has none. */
  apart: boolean;
}

/** Each run by the protocol where it was measured by it, else by its own. AUC is the same by all. */
export function comparedRuns(
  runs: readonly Run[],
  evaluations: readonly EvaluationWithResults[],
  { finding, protocol, apart }: Asked,
): ComparedRun[] {
  return runs.map((run) => {
    const asked = evaluations.find((one) => one.runId === run.id && one.protocol === protocol);
    const evaluation = asked ?? mainEvaluation(run, evaluations);
    const row = asked || apart ? evaluation?.localization.find((one) => one.finding === finding && one.kind === 'RUN') : undefined;
    return {
      run,
      evaluation,
      auc: evaluation?.auc.find((one) => one.finding === finding) ?? null,
      curve: row && evaluation ? curveOf(row, evaluation) : null,
    };
  });
}

/** The runs by their sets: those of the protocol, and apart from them the others' protocols and methods that no figure of the paper has. */
export function curveSets(compared: readonly ComparedRun[], finding: Finding, protocol: string): CurveSet & { apart: ApartSet[] } {
  const keyOf = ({ run, curve }: ComparedRun): string =>
    curve === null ? protocol : `${curve.protocol.name}${methodNote(parseMethod(run.method)) === null ? '' : ` ${run.method}`}`;
  const keys = [...new Set(compared.map(keyOf))].filter((key) => key !== protocol).sort();
  const inMain = compared.filter((one) => keyOf(one) === protocol);
  return {
    protocol: protocolOf(
      protocol,
      compared.flatMap(({ evaluation }) => evaluation ?? []),
    ),
    runs: compared.map((one) => (keyOf(one) === protocol ? one : { ...one, curve: null })),
    controls: controlsOf(inMain, { finding, protocol }),
    apart: keys.map((key) => {
      const own = compared.filter((one) => keyOf(one) === key);
      const { protocol: theirs } = own[0]!.curve!;
      return {
        protocol: theirs,
        reason: reasonOf(own, protocol),
        runs: own,
        controls: controlsOf(own, { finding, protocol: theirs.name }),
      };
    }),
  };
}

function reasonOf(own: readonly ComparedRun[], protocol: string): string {
  const methods = [...new Set(own.map(({ run }) => parseMethod(run.method)))];
  const labels = listed(methods.map((method) => METHODS[method].label));
  const { name } = own[0]!.curve!.protocol;
  const measured = name === protocol ? [] : [`${labels}: measured by protocol ${name}.`];
  return [...methods.flatMap((method) => methodNote(method) ?? []), ...measured].join(' ');
}

/**
 * The controls of the newest evaluation of each size of maps: what a random or the best map reaches depends on its grid, the centre
 * prior does not. Where there are several sizes each says which it is of.
 */
function controlsOf(compared: readonly ComparedRun[], { finding, protocol }: Pick<Asked, 'finding' | 'protocol'>): Curve[] {
  const evaluations = compared
    .flatMap(({ evaluation }) => (evaluation?.protocol === protocol ? [evaluation] : []))
    .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || b.id.localeCompare(a.id));
  const byGrid = new Map<string, Curve[]>();
  for (const evaluation of evaluations) {
    const controls = evaluation.localization.filter((row) => row.finding === finding && row.kind !== 'RUN');
    const grid = gridOf(evaluation.run.card);
    if (controls.length > 0 && !byGrid.has(grid))
      byGrid.set(
        grid,
        controls.map((row) => curveOf(row, evaluation)),
      );
  }
  if (byGrid.size < 2) return [...byGrid.values()].flat();
  return [...byGrid].flatMap(([grid, controls], index) =>
    controls
      .filter(({ kind }) => index === 0 || kind !== 'CENTRE')
      .map((curve) => (curve.kind === 'CENTRE' ? curve : { ...curve, label: `${curve.label}, ${grid} maps` })),
  );
}

const CardGridSchema = z.object({ featureShape: CardSchema.shape.featureShape });

/** "28 x 28"; of runs whose card is not known, all the same. */
function gridOf(card: unknown): string {
  const parsed = CardGridSchema.safeParse(card);
  return parsed.success ? parsed.data.featureShape.slice(0, 2).join(' x ') : 'unknown';
}
