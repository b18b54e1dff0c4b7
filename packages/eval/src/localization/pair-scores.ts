import { type BoxedFinding, CxrError } from '@cxr-lens/data';
import { patientParts } from './folds.ts';
import { scoreFolds } from './localization.ts';
import { byFinding, checkUnique } from './pairs.ts';
import { IOU_THRESHOLDS, type IouTable, type PairIous } from './types.ts';

/** Draws of the five folds that a pair's score is the mean over: single draws gave five different lists of verdicts in five draws. */
const DRAWS = 20;

/** How often one pair is hit. */
export interface PairScore {
  image: string;
  patientId: string;
  /** [7], at every T(IoU): share of the folds that score the pair in which IoU > T; 0 or 1 by a protocol that scores it once. */
  hits: Float64Array;
}

export type PairScores = Record<BoxedFinding, PairScore[]>;

/**
 * Scores of a run's pairs. With 256 IoUs a pair, thresholds are chosen anew in each fold of twenty draws of the five folds, as for the
 * curve; the draws are the same for every run of a data set. A pair that no fold scores is left out.
 * @param firstDraw seed of the first draw; verdicts have 0
 * @throws CxrError BAD_INPUT for a pair that occurs twice or whose patient is not among the table's
 */
export function pairScores({ patients, pairs }: IouTable, firstDraw = 0): PairScores {
  checkUnique(pairs);
  const known = new Set(patients);
  const stray = pairs.find(({ patientId }) => !known.has(patientId));
  if (stray) {
    throw new CxrError('BAD_INPUT', `patient ${stray.patientId} of ${stray.image} is not among the boxed patients: expected all of them`);
  }
  const once = pairs.every(({ ious }) => ious.length === 1);
  const draws = once ? [] : Array.from({ length: DRAWS }, (_, draw) => patientParts(patients, firstDraw + draw));
  return byFinding((finding) => {
    const own = pairs.filter((pair) => pair.finding === finding);
    return once ? own.map((pair) => scoreOf(pair, [...pair.ious])) : scoresOverFolds(own, draws);
  });
}

function scoresOverFolds(pairs: readonly PairIous[], draws: readonly ReadonlyMap<string, number>[]): PairScore[] {
  const scored = draws.map((parts) => scoreFolds(pairs, parts).scored);
  return pairs.flatMap((pair, index) => {
    const ious = scored.flatMap((draw) => draw[index]!.ious.filter((iou) => iou !== null));
    return ious.length > 0 ? [scoreOf(pair, ious)] : [];
  });
}

function scoreOf({ image, patientId }: PairIous, ious: readonly number[]): PairScore {
  const hits = Float64Array.from(IOU_THRESHOLDS, (t) => ious.filter((iou) => iou > t).length / ious.length);
  return { image, patientId, hits };
}

/**
 * The tables of runs that were each scored on pairs of their own as one: each pair by the network that had not seen it.
 * @throws CxrError BAD_INPUT for no table, two protocols, a pair that occurs twice
 */
export function poolIous(tables: readonly IouTable[]): IouTable {
  const [first] = tables;
  if (!first) throw new CxrError('BAD_INPUT', 'no IoUs to pool: expected those of at least one run');
  const other = tables.find(({ protocol }) => protocol.name !== first.protocol.name);
  if (other) {
    throw new CxrError('BAD_INPUT', `IoUs by protocol ${first.protocol.name} and by ${other.protocol.name} to pool: expected one protocol`);
  }
  const pairs = tables.flatMap((table) => table.pairs);
  checkUnique(pairs);
  return { ...first, pairs };
}
