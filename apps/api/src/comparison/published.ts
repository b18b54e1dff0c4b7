import { type BoxedFinding, FINDINGS, type Finding, isBoxedFinding } from '@cxr-lens/data';
import { IOU_THRESHOLDS, type Protocol, publishedCurves } from '@cxr-lens/eval';
import type { CurveKind, Evaluation, LocalizationCurve, LocalizationPoint } from '@cxr-lens/prisma';

export type Point = Omit<LocalizationPoint, 'curveId'>;

/** A localisation curve, ours or a published one. */
export interface Curve {
  finding: string;
  /** Part of what a curve is: those of two are never drawn as one. */
  protocol: Protocol;
  kind: CurveKind;
  label: string;
  source?: string;
  pairs: number;
  threshold: number | null;
  meanIou: number | null;
  reason: string | null;
  points: Point[];
}

/** A row with its points as a curve of its evaluation's protocol. */
export function curveOf(
  row: LocalizationCurve & { points: Point[] },
  { protocol, protocolDescription }: Pick<Evaluation, 'protocol' | 'protocolDescription'>,
): Curve {
  return { ...row, protocol: { name: protocol, description: protocolDescription } };
}

export interface PublishedAuc {
  label: string;
  source: string;
  split: string;
  official: boolean;
  auc: number;
}

/** Published AUC in the order of FINDINGS. Numbers of private splits are shown, never ranked with the official one. */
const AUC_TABLES: readonly (Omit<PublishedAuc, 'auc'> & { values: readonly number[] })[] = [
  {
    label: 'Wang et al. 2017, ResNet-50',
    source: 'Wang et al., ChestX-ray8 (CVPR 2017), supplement, table 17',
    split: 'official split',
    official: true,
    values: [0.7003, 0.81, 0.7585, 0.6614, 0.6933, 0.6687, 0.658, 0.7993, 0.7032, 0.8052, 0.833, 0.7859, 0.6835, 0.8717],
  },
  {
    label: 'CheXNet',
    source: 'Rajpurkar et al. 2017, as quoted in the README of jrzech/reproduce-chexnet',
    split: 'own split',
    official: false,
    values: [0.8094, 0.9248, 0.8638, 0.7345, 0.8676, 0.7802, 0.768, 0.8887, 0.7901, 0.8878, 0.9371, 0.8047, 0.8062, 0.9164],
  },
  {
    label: 'CheXNet, retrained by Zech',
    source: 'jrzech/reproduce-chexnet, pretrained/aucs.csv',
    split: 'own split',
    official: false,
    values: [0.818, 0.909, 0.8827, 0.7156, 0.8377, 0.7756, 0.7617, 0.8776, 0.8002, 0.8945, 0.9316, 0.8251, 0.7889, 0.9175],
  },
];

const NOT_PRINTED = {
  low: null,
  high: null,
  sd: null,
  falsePositives: null,
  iobbAccuracy: null,
  iobbLow: null,
  iobbHigh: null,
  iobbFalsePositives: null,
};

/** Boxed images a finding in NIH's box list, which the published curves were scored on. */
const NIH_PAIRS: Record<BoxedFinding, number> = {
  Atelectasis: 180,
  Cardiomegaly: 146,
  Effusion: 153,
  Infiltration: 123,
  Mass: 85,
  Nodule: 79,
  Pneumonia: 120,
  Pneumothorax: 98,
};

export function publishedAuc(finding: Finding): PublishedAuc[] {
  const index = FINDINGS.indexOf(finding);
  return AUC_TABLES.map(({ values, ...table }) => ({ ...table, auc: values[index]! }));
}

/**
 * Published curves of one finding by the protocol, to be looked at beside ours and never ranked with them; empty for a finding without
 * boxes, and for the paper's protocol: its curves were printed as figures only.
 */
export function referenceCurves(finding: Finding, protocol: string): Curve[] {
  if (!isBoxedFinding(finding)) return [];
  return publishedCurves(protocol).map(({ label, source, findings }) => ({
    finding,
    protocol: { name: protocol, description: source },
    kind: 'REFERENCE',
    label,
    source,
    pairs: NIH_PAIRS[finding],
    threshold: null,
    meanIou: null,
    reason: null,
    points: IOU_THRESHOLDS.map((iouThreshold, at) => ({ ...NOT_PRINTED, iouThreshold, accuracy: findings[finding][at]! })),
  }));
}
