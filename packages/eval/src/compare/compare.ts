import { BOXED_FINDINGS, type Finding } from '@cxr-lens/data';
import { pairScores } from '../localization/pair-scores.ts';
import type { IouTable } from '../localization/types.ts';
import { answer, type ClaimOf } from './answer.ts';
import { compareAucs } from './auc.ts';
import { type PaperClaim, paperClaim } from './claims.ts';
import { scoreDifferences } from './score-differences.ts';
import { localizationSentence } from './sentences.ts';
import type { CompareInput, PathologyComparison, RunComparison } from './types.ts';
import { withVerdicts } from './verdict.ts';

/**
 * Run A beside run B on the same test images: per boxed finding the localisation accuracy, per finding the AUC, each as a paired
 * difference with its interval and verdict (`withVerdicts`), and in words whether the paper's finding is there.
 *
 * Verdicts are about patients: they say what other patients would have changed, not what training again would. Each run is scored by its
 * main protocol; where those differ the result names both.
 * @throws CxrError BAD_INPUT for IoUs by protocol `nih`, scores that do not fit the truth, two scores of one image
 */
export function compareRuns({ a, b, truth = null, firstDraw = 0, onProgress }: CompareInput): RunComparison {
  const claims =
    (about: PaperClaim['about']): ClaimOf =>
    (finding: Finding | 'mean') =>
      a.method === null || b.method === null ? null : paperClaim({ about, a: a.method, b: b.method, finding });
  const labels = { a: a.label, b: b.label };
  const tables = a.ious && b.ious ? { a: a.ious, b: b.ious } : null;
  return {
    ...labels,
    protocols: tables && { a: tables.a.protocol, b: tables.b.protocol },
    localization: tables ? compareLocalization(tables, { labels, claimOf: claims('localization'), firstDraw }) : [],
    auc:
      truth && a.scores && b.scores
        ? compareAucs({ a: a.scores, b: b.scores, truth }, { labels, claimOf: claims('auc'), onProgress })
        : null,
  };
}

interface Options {
  labels: { a: string; b: string };
  claimOf: ClaimOf;
  firstDraw: number;
}

function compareLocalization(tables: { a: IouTable; b: IouTable }, { labels, claimOf, firstDraw }: Options): PathologyComparison[] {
  const [scoresA, scoresB] = [pairScores(tables.a, firstDraw), pairScores(tables.b, firstDraw)];
  const differences = BOXED_FINDINGS.map((finding) => scoreDifferences(scoresA[finding], scoresB[finding]));
  const means = withVerdicts(differences.map(({ mean }) => mean));
  const at03 = withVerdicts(differences.map(({ points }) => points.find(({ iouThreshold }) => iouThreshold === 0.3)!));
  return BOXED_FINDINGS.map((finding, index) => {
    const mean = means[index]!;
    const sentence = localizationSentence({ ...labels, finding }, mean);
    const { points } = differences[index]!;
    return { finding, pairs: mean.pairs, mean, at03: at03[index]!, points, ...answer(sentence, claimOf(finding), mean) };
  });
}
