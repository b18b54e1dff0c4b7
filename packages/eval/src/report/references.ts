import { type BoxedFinding, FINDINGS, type Finding } from '@cxr-lens/data';

/** Numbers that others published, with where they stand. Shown only beside results of the same protocol. */
interface Reference {
  label: string;
  source: string;
}

/** AUC on ChestX-ray14; numbers of a split of one's own are shown, never ranked with the official one. */
interface PublishedAuc extends Reference {
  split: 'official' | 'own';
  mean: number;
  findings: Record<Finding, number>;
}

/** How many images the official test split has. */
export const OFFICIAL_TEST_IMAGES = 25_596;

export const PUBLISHED_AUC: readonly PublishedAuc[] = [
  {
    label: 'Wang et al. 2017',
    source: 'Wang et al., ChestX-ray8, CVPR 2017, supplement, table 17: ResNet-50, official split',
    split: 'official',
    mean: 0.745,
    findings: inOrder([0.7003, 0.81, 0.7585, 0.6614, 0.6933, 0.6687, 0.658, 0.7993, 0.7032, 0.8052, 0.833, 0.7859, 0.6835, 0.8717]),
  },
  {
    label: 'CheXNet',
    source: 'Rajpurkar et al. 2017, as quoted in the README of jrzech/reproduce-chexnet: a split of their own',
    split: 'own',
    mean: 0.841,
    findings: inOrder([0.8094, 0.9248, 0.8638, 0.7345, 0.8676, 0.7802, 0.768, 0.8887, 0.7901, 0.8878, 0.9371, 0.8047, 0.8062, 0.9164]),
  },
  {
    label: 'CheXNet by Zech',
    source: 'jrzech/reproduce-chexnet, pretrained/aucs.csv: a split of its own',
    split: 'own',
    mean: 0.838,
    findings: inOrder([0.818, 0.909, 0.8827, 0.7156, 0.8377, 0.7756, 0.7617, 0.8776, 0.8002, 0.8945, 0.9316, 0.8251, 0.7889, 0.9175]),
  },
];

/** Curves that others published: accuracy at T(IoU) 0.1 ... 0.7 per finding. */
export interface PublishedCurves extends Reference {
  protocol: string;
  findings: Record<BoxedFinding, readonly number[]>;
}

/** Localisation accuracy at T(IoU) 0.1 ... 0.7 by NIH's own way: boxes around the regions of two levels, any of which may hit. */
const WANG_2017_LOCALIZATION: PublishedCurves = {
  label: 'Wang et al. 2017',
  source: 'Wang et al., ChestX-ray8, CVPR 2017, table 7: ChestX-ray8, any of one to three boxes may hit',
  protocol: 'nih',
  findings: {
    Atelectasis: [0.6888, 0.4722, 0.2444, 0.0944, 0.05, 0.0222, 0.0055],
    Cardiomegaly: [0.9383, 0.6849, 0.4589, 0.2808, 0.178, 0.0753, 0.0273],
    Effusion: [0.6601, 0.4509, 0.3006, 0.2026, 0.1111, 0.0457, 0.0196],
    Infiltration: [0.7073, 0.4796, 0.2764, 0.1219, 0.065, 0.0243, 0],
    Mass: [0.4, 0.2588, 0.1529, 0.0705, 0.0117, 0, 0],
    Nodule: [0.1392, 0.0506, 0.0379, 0.0126, 0.0126, 0.0126, 0],
    Pneumonia: [0.6333, 0.35, 0.1666, 0.075, 0.0333, 0.0166, 0.0083],
    Pneumothorax: [0.3775, 0.2346, 0.1326, 0.0714, 0.0306, 0.0306, 0.0204],
  },
};

/** Published curves measured by a protocol of this name; none for 'paper', whose curves are printed as figures only. */
export function publishedCurves(protocol: string): PublishedCurves[] {
  return [WANG_2017_LOCALIZATION].filter((curves) => curves.protocol === protocol);
}

function inOrder(values: readonly number[]): Record<Finding, number> {
  return Object.fromEntries(FINDINGS.map((finding, index) => [finding, values[index]!])) as Record<Finding, number>;
}
