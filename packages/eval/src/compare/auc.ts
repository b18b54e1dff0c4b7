import type { OnProgress } from '@cxr-lens/data';
import { FEW_CASES_REASON, isFewCases } from '../auc/cases.ts';
import { type PairedDelong, pairedDelong } from '../auc/delong.ts';
import { aucDifferences } from '../auc/paired-bootstrap.ts';
import { answer, type ClaimOf } from './answer.ts';
import { aucSentence } from './sentences.ts';
import { align, keptDraws, labelsOf, scoresOf, type Tables } from './shared-scores.ts';
import type { AucComparison, RunComparison } from './types.ts';
import { withVerdicts } from './verdict.ts';

interface Options {
  labels: { a: string; b: string };
  claimOf: ClaimOf;
  onProgress: OnProgress | undefined;
}

/** AUCs of two runs on the images that both scored, over the findings that both scored. */
export function compareAucs(tables: Tables, { labels, claimOf, onProgress }: Options): RunComparison['auc'] {
  const shared = align(tables);
  const draws = (side: 'a' | 'b') => keptDraws(tables[side], shared, { label: labels[side], onProgress });
  const [a, b] = [draws('a'), draws('b')];
  const bootstrap = aucDifferences(a, b);
  const tested = withVerdicts(bootstrap.columns);
  const delongs = withVerdicts(
    shared.findings.map((finding, index) => {
      const [scoresA, scoresB] = [scoresOf(tables.a, shared, finding), scoresOf(tables.b, shared, finding)];
      return untestedIfFew(pairedDelong(scoresA, scoresB, labelsOf(shared, finding)), isFewCases(a.cases[index]!));
    }),
    'formula',
  );
  const findings = shared.findings.map((finding, index): AucComparison => {
    const [one, delong] = [tested[index]!, delongs[index]!];
    const sentence = aucSentence({ ...labels, finding }, { ...one, reason: one.reason ?? delong.reason });
    return { finding, delong, bootstrap: one, ...answer(sentence, claimOf(finding), one) };
  });
  const [mean] = withVerdicts([bootstrap.mean]);
  const sentence = aucSentence({ ...labels, finding: 'mean' }, mean!);
  return { images: shared.rows.length, findings, mean: { bootstrap: mean!, ...answer(sentence, claimOf('mean'), mean!) } };
}

function untestedIfFew(delong: PairedDelong, few: boolean): PairedDelong {
  return few ? { ...delong, ci: null, z: null, p: null, reason: FEW_CASES_REASON } : delong;
}
