import type { BoxedFinding, Finding } from '@cxr-lens/data';
import { FINDINGS } from '@cxr-lens/data';
import { IOU_THRESHOLDS } from '@cxr-lens/eval';
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

/** Accuracy at T(IoU) = 0.1 ... 0.7. */
const WANG_LOCALIZATION: Record<BoxedFinding, readonly number[]> = {
  Atelectasis: [0.6888, 0.4722, 0.2444, 0.0944, 0.05, 0.0222, 0.0055],
  Cardiomegaly: [0.9383, 0.6849, 0.4589, 0.2808, 0.178, 0.0753, 0.0273],
  Effusion: [0.6601, 0.4509, 0.3006, 0.2026, 0.1111, 0.0457, 0.0196],
  Infiltration: [0.7073, 0.4796, 0.2764, 0.1219, 0.065, 0.0243, 0],
  Mass: [0.4, 0.2588, 0.1529, 0.0705, 0.0117, 0, 0],
  Nodule: [0.1392, 0.0506, 0.0379, 0.0126, 0.0126, 0.0126, 0],
  Pneumonia: [0.6333, 0.35, 0.1666, 0.075, 0.0333, 0.0166, 0.0083],
  Pneumothorax: [0.3775, 0.2346, 0.1326, 0.0714, 0.0306, 0.0306, 0.0204],
};

/** Boxed images a finding in NIH's box list, which Wang et al. scored. */
const WANG_PAIRS: Record<BoxedFinding, number> = {
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

/** Published curves of one finding; empty for one without boxes. */
export function publishedCurves(finding: Finding): Curve[] {
  const accuracies = WANG_LOCALIZATION[finding as BoxedFinding];
  if (!accuracies) return [];
  const points = IOU_THRESHOLDS.map((iouThreshold, index) => ({
    iouThreshold,
    accuracy: accuracies[index]!,
    low: null,
    high: null,
    sd: null,
  }));
  const source = 'Wang et al., ChestX-ray8 (CVPR 2017), table 7: any of one to three boxes may hit';
  const pairs = WANG_PAIRS[finding as BoxedFinding];
  return [{ finding, kind: 'REFERENCE', label: 'Wang et al. 2017', source, pairs, threshold: null, meanIou: null, reason: null, points }];
}
