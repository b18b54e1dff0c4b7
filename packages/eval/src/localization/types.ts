import type { Box, BoxedFinding } from '@cxr-lens/data';

/** T(IoU) of every localisation curve. */
export const IOU_THRESHOLDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7] as const;

/** How a curve was measured: part of its identity. Curves of two protocols are never drawn as if they were one. */
export interface Protocol {
  name: string;
  description: string;
}

/** One (image, finding) pair of the box list with the map to be scored. */
export interface LocalizationPair {
  image: string;
  patientId: string;
  finding: BoxedFinding;
  /** Pixels of the 1024 x 1024 file. */
  box: Box;
  /** [height, width], any unit; the CAM as it is. */
  map: Float32Array;
  height: number;
  width: number;
}

/** A pair reduced to what the protocol needs. */
export interface PairIous {
  image: string;
  patientId: string;
  finding: BoxedFinding;
  /** IoU of region and box: [256], at threshold 0 ... 255, or [1] by a protocol that scores a pair once. */
  ious: Float64Array;
}

/** All that a verdict needs of one run's localisation: the maps are not asked again. */
export interface IouTable {
  protocol: Protocol;
  /** Of all boxed test images of the data set, also of those that the run was not scored on: folds are drawn over them. */
  patients: readonly string[];
  /** Each (image, finding) once, all with as many IoUs. */
  pairs: readonly PairIous[];
}

export interface LocalizationOptions {
  /** Seeds folds and bootstrap. */
  seed: number;
  /** One fixed value, 0 ... 255: every pair is scored once, no folds. */
  threshold?: number;
  /** Bootstrap resamples of patients; 0: no bands. */
  resamples?: number;
}

/** Options of a protocol that chooses no threshold and scores every pair once. */
export interface OnePassOptions {
  /** Seeds the bootstrap. */
  seed: number;
  /** Bootstrap resamples of patients; 0: no bands. */
  resamples?: number | undefined;
}

/** One point of a curve. */
export interface LocalizationPoint {
  /** T(IoU); a hit is IoU > T. */
  iouThreshold: number;
  /** Hits / pairs, mean over the folds. */
  accuracy: number | null;
  /** 95 % interval: of the patient bootstrap, Wilson's where few pairs hit or miss (`withRareHits`); null with few pairs. */
  low: number | null;
  high: number | null;
  /** Standard deviation over the folds (n - 1): no standard error, as a pair is scored in four of them. */
  sd: number | null;
}

/** IoU of one pair in every fold that scores it. Kept, so that runs can be compared pair by pair later. */
export interface ScoredPair {
  image: string;
  patientId: string;
  /** One per fold; null in the fold whose threshold the pair helped to choose, and in folds left out. */
  ious: (number | null)[];
}

/** Curve of one finding. */
export interface LocalizationCurve {
  pairs: number;
  /** 0 ... 255: the lower median of the folds' thresholds; null where there is none (controls, no usable fold). */
  threshold: number | null;
  /** Threshold of every fold; null for a fold left out. */
  foldThresholds: (number | null)[];
  /** Mean IoU of the scored pairs, mean over the folds. */
  meanIou: number | null;
  points: LocalizationPoint[];
  scored: ScoredPair[];
  /** Why values are missing or not to be trusted: `few pairs`, `no pairs`, `under two usable folds`; else null. */
  reason: string | null;
}

/** All eight curves of one run, or of one control. JSON-ready. */
export interface LocalizationResult {
  protocol: Protocol;
  seed: number;
  /** In the order of BOXED_FINDINGS, findings without pairs included. */
  findings: Record<BoxedFinding, LocalizationCurve>;
}

/** A curve of protocol `nih`, with what only boxes made from a map have. */
export interface NihCurve extends LocalizationCurve {
  /** [7], at every T(IoU): detected boxes per image whose IoU is not above it; null without an image. */
  falsePositives: number[] | null;
  /** The same by intersection over the detected box. */
  iobb: { points: LocalizationPoint[]; falsePositives: number[] | null };
}

/** All eight curves of one run by protocol `nih`. */
export interface NihResult extends LocalizationResult {
  findings: Record<BoxedFinding, NihCurve>;
}

/** What every plot shows beside the runs. */
export interface LocalizationControls {
  random: LocalizationResult;
  centre: LocalizationResult;
  bestReachable: LocalizationResult;
}
