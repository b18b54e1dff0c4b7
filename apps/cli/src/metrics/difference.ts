import path from 'node:path';
import { CxrError, type Finding } from '@cxr-lens/data';
import { compareRuns } from '@cxr-lens/eval';
import { stderrProgress } from '../output.ts';
import type { Scores } from './scores.ts';

/** AUC of A minus AUC of B on the same images. */
interface FindingDifference {
  /** Null where a class is absent. */
  difference: number | null;
  /** 95 %: of paired DeLong over images, or of the paired bootstrap over patients. */
  ci: [number, number] | null;
  /** Two-sided, of this finding alone. */
  p: number | null;
  /** Adjusted over the findings (Holm); of the mean: `p`. */
  adjustedP: number | null;
}

/** JSON-ready; what `compare` says of two runs, of two files of scores. */
export interface AucDifferences {
  a: string;
  b: string;
  method: 'paired DeLong over images' | 'paired bootstrap over patients';
  findings: Partial<Record<Finding, FindingDifference & { aucA: number | null; aucB: number | null; reason?: string }>>;
  /** Paired DeLong has no interval of the mean. */
  mean: FindingDifference;
}

interface DifferenceInput {
  images: readonly string[];
  truth: { finding: Finding; labels: Uint8Array }[];
  a: { file: string; columns: Scores['columns'] };
  b: { file: string; columns: Scores['columns'] };
  /** [N]: the patient of each image; null: images are independent. */
  clusters: readonly string[] | null;
}

/** @throws CxrError BAD_INPUT where the files score no finding in common */
export function aucDifferences({ images, truth, a, b, clusters }: DifferenceInput): AucDifferences {
  const side = ({ file, columns }: DifferenceInput['a']) => {
    const scores = Object.fromEntries(columns.map((column) => [column.finding, column.scores]));
    return { label: path.basename(file), method: null, ious: null, scores: { images, scores } };
  };
  const labels = Object.fromEntries(truth.map((column) => [column.finding, column.labels]));
  const { auc } = compareRuns({
    a: side(a),
    b: side(b),
    truth: { images, patientIds: clusters ?? images, labels },
    onProgress: stderrProgress(),
  });
  if (!auc || auc.findings.length === 0) {
    throw new CxrError('BAD_INPUT', `${a.file} and ${b.file} score no labelled finding in common: expected one at least.`);
  }
  const findings = auc.findings.map(({ finding, delong, bootstrap }) => {
    const { aucA, aucB, difference, reason } = delong;
    const { ci, p, adjustedP } = clusters ? { ...bootstrap, ci: bootstrap.interval } : delong;
    return [finding, { aucA, aucB, difference, ci, p, adjustedP, ...(reason === undefined ? {} : { reason }) }] as const;
  });
  const { difference, interval, p, adjustedP } = auc.mean.bootstrap;
  const tested = clusters ? { ci: interval, p, adjustedP } : { ci: null, p: null, adjustedP: null };
  return {
    a: a.file,
    b: b.file,
    method: clusters ? 'paired bootstrap over patients' : 'paired DeLong over images',
    findings: Object.fromEntries(findings),
    mean: { difference, ...tested },
  };
}
