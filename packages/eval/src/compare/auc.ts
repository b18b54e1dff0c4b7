import { CxrError, FINDINGS, type Finding } from '@cxr-lens/data';
import { pairedDelong } from '../auc/delong.ts';
import { pairedAucBootstrap } from '../auc/paired-bootstrap.ts';
import { holm } from '../p-values.ts';
import { judged, type PartOptions } from './judged.ts';
import { aucSentence } from './sentences.ts';
import type { AucComparison, RunComparison, ScoreTable, Truth } from './types.ts';
import { adjusted } from './verdict.ts';

interface Tables {
  a: ScoreTable;
  b: ScoreTable;
  truth: Truth;
}

/** AUCs of two runs on the images that both scored, over the findings that both scored. */
export function compareAucs(tables: Tables, { labels, claimOf, seed, resamples }: PartOptions): RunComparison['auc'] {
  const { columns, patients } = align(tables);
  const delongs = columns.map(({ a, b, truth }) => pairedDelong(a, b, truth));
  const bootstrap = pairedAucBootstrap({
    scoresA: columns.map(({ a }) => a),
    scoresB: columns.map(({ b }) => b),
    labels: columns.map(({ truth }) => truth),
    clusters: patients,
    resamples,
    seed: `auc difference/${seed}`,
  });
  const adjustedDelong = holm(delongs.map(({ p }) => p));
  // drawn again and again, a single image of a class is always itself: its resamples say nothing of other patients
  const drawn = bootstrap.columns.map((one, index) => (delongs[index]!.variance === null ? { ...one, interval: null, p: null } : one));
  const adjustedBootstrap = holm(drawn.map(({ p }) => p));
  const findings = columns.map(({ finding }, index): AucComparison => {
    const delong = adjusted(delongs[index]!, adjustedDelong[index]!);
    const tested = adjusted(drawn[index]!, adjustedBootstrap[index]!);
    const sentence = aucSentence({ ...labels, finding }, { ...tested, reason: delong.reason });
    return { finding, delong, bootstrap: tested, ...judged(sentence, claimOf(finding), tested) };
  });
  const mean = adjusted(bootstrap.mean, bootstrap.mean.p);
  const sentence = aucSentence({ ...labels, finding: 'mean' }, mean);
  return {
    images: patients.length,
    findings,
    mean: { bootstrap: mean, ...judged(sentence, claimOf('mean'), mean) },
  };
}

interface Column {
  finding: Finding;
  a: Float64Array;
  b: Float64Array;
  truth: Float64Array;
}

/** Scores and labels of the images that both runs scored, in the order of the truth. */
function align({ a, b, truth }: Tables): { columns: Column[]; patients: string[] } {
  const [inA, inB] = [positions(a), positions(b)];
  const rows = [...positions(truth).entries()].filter(([image]) => inA.has(image) && inB.has(image));
  if (rows.length === 0) throw new CxrError('BAD_INPUT', 'no test image was scored by both runs: expected runs evaluated on one data set');
  const columns = FINDINGS.flatMap((finding): Column[] => {
    const [scoresA, scoresB, labels] = [a.scores[finding], b.scores[finding], truth.labels[finding]];
    if (!scoresA || !scoresB || !labels) return [];
    for (const [column, { images }] of [[scoresA, a] as const, [scoresB, b] as const, [labels, truth] as const]) {
      if (column.length !== images.length) {
        throw new CxrError('BAD_INPUT', `${column.length} values of ${finding} for ${images.length} images: expected one an image`);
      }
    }
    return [
      {
        finding,
        a: Float64Array.from(rows, ([image]) => scoresA[inA.get(image)!]!),
        b: Float64Array.from(rows, ([image]) => scoresB[inB.get(image)!]!),
        truth: Float64Array.from(rows, ([, row]) => labels[row]!),
      },
    ];
  });
  return { columns, patients: rows.map(([, row]) => truth.patientIds[row]!) };
}

/** Where each image stands. */
function positions({ images }: { images: readonly string[] }): Map<string, number> {
  const found = new Map(images.map((image, index) => [image, index]));
  if (found.size !== images.length) throw new CxrError('BAD_INPUT', 'an image is listed twice: expected every image once');
  return found;
}
