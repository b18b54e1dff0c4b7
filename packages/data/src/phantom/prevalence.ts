import { FINDINGS, type Finding } from '../findings.ts';

export type Prevalence = 'nih' | 'enriched';

/** Shares of images with each finding, in the order of FINDINGS, counted in NIH's Data_Entry_2017_v2020.csv and its lists. */
const NIH_TRAIN_VAL = [0.0957, 0.0197, 0.1001, 0.1593, 0.0466, 0.0544, 0.0101, 0.0305, 0.033, 0.0159, 0.0164, 0.0145, 0.0259, 0.0016];
const NIH_TEST = [0.1281, 0.0418, 0.182, 0.2388, 0.0683, 0.0634, 0.0217, 0.1041, 0.0709, 0.0361, 0.0427, 0.017, 0.0447, 0.0034];

/** Enriched sets: every finding often enough for a small network to learn it from some thousand images. */
const ENRICHED = 0.14;

export function prevalenceOf(prevalence: Prevalence, test: boolean): Record<Finding, number> {
  const shares = test ? NIH_TEST : NIH_TRAIN_VAL;
  return Object.fromEntries(FINDINGS.map((finding, i) => [finding, prevalence === 'nih' ? shares[i]! : ENRICHED])) as Record<
    Finding,
    number
  >;
}

/**
 * Tetrachoric correlations between the findings of all 112,120 images of NIH's Data_Entry_2017_v2020.csv, lower triangle in the order of FINDINGS:
 * the correlation of two normal variables that are both over their thresholds as often as NIH names both findings.
 */
const CORRELATIONS = [
  [],
  [0.07],
  [0.37, 0.39],
  [0.21, 0.05, 0.25],
  [0.06, -0.07, 0.2, 0.04],
  [-0.03, -0.07, 0.06, 0.12, 0.3],
  [0.14, 0.02, 0.12, 0.29, -0.01, -0.03],
  [0.1, -0.17, 0.15, 0, 0.12, 0.03, -0.09],
  [0.31, 0.08, 0.28, 0.14, 0.25, 0.12, 0.15, 0],
  [-0.02, 0.16, 0.23, 0.31, 0.02, 0, 0.56, -0.2, 0.11],
  [0.13, -0.06, 0.05, 0, 0.11, -0.04, -0.05, 0.51, 0, -0.09],
  [0.06, 0.04, -0.01, 0.04, 0.06, 0.12, -0.09, 0, 0.02, -0.19, -0.01],
  [0.1, 0.06, 0.23, 0.07, 0.24, 0.19, 0.02, 0.14, 0.13, -0.01, 0.14, 0.26],
  [0.11, 0.03, -0.05, -0.04, 0.13, -0.04, 0, -0.03, -0.11, -0.05, -0.03, 0.12, 0.02],
];

/** Lower Cholesky factor of the correlations: times independent normals it gives findings that come together as NIH's do. */
export const CORRELATED = cholesky(CORRELATIONS);

function cholesky(lower: readonly (readonly number[])[]): number[][] {
  const factor: number[][] = [];
  for (let i = 0; i < lower.length; i++) {
    const row: number[] = [];
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? 1 : lower[i]![j]!;
      for (let k = 0; k < j; k++) sum -= row[k]! * (i === j ? row[k]! : factor[j]![k]!);
      row.push(i === j ? Math.sqrt(sum) : sum / factor[j]![j]!);
    }
    factor.push(row);
  }
  return factor;
}

/**
 * Images of one patient: shares of patients with at least so many, counted in NIH's lists; test patients come back far more often.
 * Enriched sets have fewer follow-ups, for a small set needs many patients more than many visits.
 */
export const IMAGES_PER_PATIENT = {
  trainVal: [
    [1, 1],
    [2, 0.424],
    [3, 0.286],
    [4, 0.215],
    [5, 0.171],
    [10, 0.066],
    [20, 0.017],
    [50, 0.0016],
  ],
  test: [
    [1, 1],
    [2, 0.509],
    [3, 0.418],
    [4, 0.381],
    [5, 0.35],
    [10, 0.247],
    [20, 0.142],
    [50, 0.04],
  ],
  enriched: [
    [1, 1],
    [2, 0.3],
    [3, 0.13],
    [4, 0.06],
    [8, 0.005],
  ],
} as const satisfies Record<string, readonly (readonly [number, number])[]>;
