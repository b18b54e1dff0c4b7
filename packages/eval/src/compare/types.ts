import type { BoxedFinding, Finding } from '@cxr-lens/data';
import type { PairedDelong } from '../auc/delong.ts';
import type { AucDifference } from '../auc/paired-bootstrap.ts';
import type { Difference, LocalizationDifference } from '../localization/difference.ts';
import type { LocalizationResult, Protocol } from '../localization/types.ts';
import type { PaperClaim } from './claims.ts';
import type { Adjusted, ClaimVerdict } from './verdict.ts';

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
  localization: LocalizationResult | null;
  scores?: ScoreTable | null;
}

export interface CompareInput {
  a: RunResults;
  b: RunResults;
  /** Without it, or without both runs' scores, AUCs are not compared. */
  truth?: Truth | null;
  seed?: number | string;
  /** Default 2000. Below 600 no adjusted p over 14 findings can be under 0.05, and nothing can be told. */
  resamples?: number;
}

/** The paper's word on a comparison and whether it is seen here; both null where the paper makes no claim. */
export interface Judged {
  claim: PaperClaim | null;
  verdict: ClaimVerdict | null;
  /** What was measured and, where the paper makes a claim, whether it holds, in whole sentences. */
  sentence: string;
}

/** One boxed finding: localisation accuracy of A minus that of B. */
export interface PathologyComparison extends Judged {
  finding: BoxedFinding;
  /** (image, finding) pairs that both runs were scored on. */
  pairs: number;
  /** Of the mean over T(IoU), adjusted over the eight findings: what the verdict is about. */
  mean: Difference & Adjusted;
  /** At T(IoU) = 0.3, adjusted over the eight findings. */
  at03: LocalizationDifference & Adjusted;
  /** At every T(IoU), not adjusted. */
  points: LocalizationDifference[];
}

/** One of the 14 findings: AUC of A minus that of B. */
export interface AucComparison extends Judged {
  finding: Finding;
  /** Takes images as independent; adjusted over the findings. */
  delong: PairedDelong & Adjusted;
  /** Over patients, adjusted over the findings: what the verdict is about. */
  bootstrap: AucDifference & Adjusted;
}

interface MeanAucComparison extends Judged {
  /** Over the findings that have both classes; one test, nothing to adjust for: adjustedP is p. */
  bootstrap: AucDifference & Adjusted;
}

/** Two runs side by side: two networks, each trained once. What holds of them need not hold of their methods. */
export interface RunComparison {
  a: string;
  b: string;
  /** How each was measured; null without boxes. */
  protocols: { a: Protocol; b: Protocol } | null;
  /** In the order of BOXED_FINDINGS; empty where either has no curves. */
  localization: PathologyComparison[];
  auc: { images: number; findings: AucComparison[]; mean: MeanAucComparison } | null;
}
