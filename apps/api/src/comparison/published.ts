import { type BoxedFinding, FINDINGS, type Finding, isBoxedFinding } from '@cxr-lens/data';
import { IOU_THRESHOLDS, PAPER_PROTOCOL, publishedCurves } from '@cxr-lens/eval';
import type { CurveKind } from '@cxr-lens/prisma';

export interface Point {
  iouThreshold: number;
  accuracy: number | null;
  low: number | null;
  high: number | null;
  sd: number | null;
}

/** A localisation curve, ours or a published one. */
export interface Curve {
  finding: string;
  kind: CurveKind;
  label: string;
  source?: string;
  pairs: number;
  threshold: number | null;
  meanIou: number | null;
  reason: string | null;
  points: Point[];
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

/** The protocols whose published curves are shown. None was printed in numbers for the paper's own, so these are another's, as their source says. */
const SHOWN_PROTOCOLS = [PAPER_PROTOCOL.name, 'nih'];

/** Published curves of one finding, to be looked at beside ours and never ranked with them; empty for a finding without boxes. */
export function referenceCurves(finding: Finding): Curve[] {
  if (!isBoxedFinding(finding)) return [];
  return SHOWN_PROTOCOLS.flatMap(publishedCurves).map(({ label, source, findings }) => ({
    finding,
    kind: 'REFERENCE',
    label,
    source,
    pairs: NIH_PAIRS[finding],
    threshold: null,
    meanIou: null,
    reason: null,
    points: IOU_THRESHOLDS.map((iouThreshold, at) => ({ iouThreshold, accuracy: findings[finding][at]!, low: null, high: null, sd: null })),
  }));
}
