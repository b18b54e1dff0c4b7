import type { BoxedFinding, Finding, OnProgress } from '@cxr-lens/data';
import type { PairedDelong } from '../auc/delong.ts';
import type { AucDifference } from '../auc/paired-bootstrap.ts';
import type { IouTable, Protocol } from '../localization/types.ts';
import type { Answer } from './answer.ts';
import type { Difference, PointDifference } from './score-differences.ts';
import type { Verdict } from './verdict.ts';

/** Scores of one run, image by image. */
export interface ScoreTable {
  /** [N], each once. */
  images: readonly string[];
  /** Per finding [N], any monotone unit. */
  scores: Partial<Record<Finding, ArrayLike<number>>>;
}

/** What is known of the test images. */
export interface Truth {
  /** [N], each once. */
  images: readonly string[];
  /** [N] */
  patientIds: readonly string[];
  /** Per finding [N], 0 or 1. */
  labels: Partial<Record<Finding, ArrayLike<number>>>;
}

/** One side of a comparison. */
export interface RunResults {
  /** What people call it: 'Robust, seed 1'. */
  label: string;
  /** Name in the methods' registry; null for a variant that the paper says nothing about, as another epsilon. */
  method: string | null;
  /** By its main protocol; null without boxes. */
  ious: IouTable | null;
  scores?: ScoreTable | null;
}

export interface CompareInput {
  a: RunResults;
  b: RunResults;
  /** Without it, or without both runs' scores, AUCs are not compared. */
  truth?: Truth | null;
  /** Seed of the first of the twenty draws of the folds: others than 0 show that the verdicts do not hang on it. */
  firstDraw?: number;
  /** Told while AUCs are resampled, which takes some ten seconds a run at 25,596 images. */
  onProgress?: OnProgress | undefined;
}

/** One boxed finding: localisation accuracy of A minus that of B. */
export interface PathologyComparison extends Answer {
  finding: BoxedFinding;
  /** (image, finding) pairs that both runs were scored on. */
  pairs: number;
  /** Of the mean over T(IoU): what the words are about. */
  mean: Difference & Verdict;
  /** At T(IoU) = 0.3, adjusted over the eight findings. */
  at03: PointDifference & Verdict;
  /** At every T(IoU), not adjusted. */
  points: PointDifference[];
}

/** One of the 14 findings: AUC of A minus that of B. */
export interface AucComparison extends Answer {
  finding: Finding;
  /** Takes images as independent; adjusted over the findings. */
  delong: PairedDelong & Verdict;
  /** Over patients, adjusted over the findings: what the words are about. */
  bootstrap: AucDifference & Verdict;
}

interface MeanAucComparison extends Answer {
  /** Over the findings that have both classes; one test, nothing to adjust for: adjustedP is p. */
  bootstrap: AucDifference & Verdict;
}

/** Two runs side by side: two networks, each trained once. What holds of them need not hold of their methods. */
export interface RunComparison {
  a: string;
  b: string;
  /** How each was measured; null without boxes. */
  protocols: { a: Protocol; b: Protocol } | null;
  /** In the order of BOXED_FINDINGS; empty where either has no IoUs. */
  localization: PathologyComparison[];
  auc: { images: number; findings: AucComparison[]; mean: MeanAucComparison } | null;
}
