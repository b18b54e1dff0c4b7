import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { FEW_CASES_REASON, isFewCases, meanHasInterval, withoutEmptyWidth, withRareHits } from '@cxr-lens/eval';
import { z } from 'zod';
import { DataRefSchema } from './run.ts';

/** What a curve means: region rule, where thresholds come from, which images. Two protocols are never drawn as one. */
export const ProtocolSchema = z.object({ name: z.string(), description: z.string() });

const EvaluationHeadSchema = z.object({
  format: z.literal(1),
  runId: z.string(),
  weightsSha256: z.string(),
  data: DataRefSchema,
  seed: z.int(),
  /** Of the bootstrap over patients. */
  resamples: z.int(),
  codeVersion: z.string(),
  createdAt: z.iso.datetime(),
  /** Patients of the test images that were not scored, because the run had trained on them (Supervised, on its own data). */
  excludedPatients: z.int().default(0),
});

const IntervalSchema = z.tuple([z.number(), z.number()]).nullable();

const AucRowSchema = z
  .object({
    auc: z.number().nullable(),
    /** DeLong. */
    variance: z.number().nullable(),
    /** Null with few cases, as `bootstrap`. */
    ci: IntervalSchema,
    /** Percentiles of the bootstrap over patients. */
    bootstrap: IntervalSchema,
    positives: z.int(),
    negatives: z.int(),
    /** Why there is no AUC, or no interval: `few cases`. */
    reason: z.string().exactOptional(),
  })
  // 0.1.0 wrote intervals of few cases too
  .transform((row) => (isFewCases(row) ? { ...row, ci: null, bootstrap: null, reason: FEW_CASES_REASON } : row));

/** `auc.json`: AUC of the test images, per finding and their mean. */
export const AucFileSchema = EvaluationHeadSchema.extend({
  /** Scored. */
  images: z.int(),
  findings: z.record(z.enum(FINDINGS), AucRowSchema),
  /** Without an interval, and with the reason, if one of the findings has few cases. */
  mean: z.object({ auc: z.number().nullable(), bootstrap: IntervalSchema, findings: z.int(), reason: z.string().exactOptional() }),
}).transform((file) =>
  meanHasInterval(Object.values(file.findings)) ? file : { ...file, mean: { ...file.mean, bootstrap: null, reason: FEW_CASES_REASON } },
);

const CurvePointSchema = z.object({
  iouThreshold: z.number(),
  accuracy: z.number().nullable(),
  /** 95 %: percentiles of the bootstrap over patients, folds and thresholds kept; Wilson's where few pairs hit or miss. */
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** Standard deviation over the folds. */
  sd: z.number().nullable(),
});

/** At every T(IoU) the detected boxes per image that do not hit; null without an image. */
const FalsePositivesSchema = z.array(z.number()).nullable();

const CurveSchema = z
  .object({
    pairs: z.int(),
    /** 0..255. */
    threshold: z.number().nullable(),
    meanIou: z.number().nullable(),
    reason: z.string().nullable(),
    points: z.array(CurvePointSchema),
    /** Threshold of every fold; null for a fold left out. */
    foldThresholds: z.array(z.number().nullable()),
    /** IoU of every pair in every fold; null in the fold whose threshold it helped to choose. Runs are compared pair by pair on it. */
    scored: z.array(z.object({ image: z.string(), patientId: z.string(), ious: z.array(z.number().nullable()) })),
    /** Of protocol `nih`, which makes boxes from the map. */
    falsePositives: FalsePositivesSchema.exactOptional(),
    /** The same by intersection over the detected box. */
    iobb: z.object({ points: z.array(CurvePointSchema), falsePositives: FalsePositivesSchema }).exactOptional(),
  })
  // 0.1.0 wrote intervals of zero width; the pairs of IoBB are not in the file, so that nothing stands in their place
  .transform(({ points, iobb, ...curve }) => ({
    ...curve,
    points: withRareHits(points, curve.scored),
    ...(iobb ? { iobb: { ...iobb, points: withoutEmptyWidth(iobb.points) } } : {}),
  }));

/** All curves of one run or one control: `LocalizationResult` of the eval package. */
const LocalizationSchema = z.object({
  protocol: ProtocolSchema,
  seed: z.int(),
  findings: z.record(z.enum(BOXED_FINDINGS), CurveSchema),
});

/** The run by one protocol, and the controls by the same on the same images. */
const MeasuredSchema = z.object({
  run: LocalizationSchema,
  controls: z.object({ random: LocalizationSchema, centre: LocalizationSchema, bestReachable: LocalizationSchema }),
});

/** `localization.json`: accuracy over T(IoU) per boxed finding by the method's main protocol, beside it by others. */
export const LocalizationFileSchema = EvaluationHeadSchema.extend({
  ...MeasuredSchema.shape,
  others: z.array(MeasuredSchema).default([]),
});

/** How many IoUs a pair has by a method's main protocol: one at each threshold, or one where the protocol chooses none. */
export const IOU_COLUMNS = { paper: 256, patches: 1 } as const;

/**
 * `ious.json`: what the rows of `ious.npy`, and of `ious-centre.npy` by the centre prior, are; float64, [pairs, `IOU_COLUMNS`]. Verdicts
 * are computed from these files, without the maps.
 */
export const IousFileSchema = z.object({
  format: z.literal(1),
  runId: z.string(),
  weightsSha256: z.string(),
  data: DataRefSchema,
  /** The method's main one. */
  protocol: ProtocolSchema.extend({ name: z.enum(['paper', 'patches']) }),
  /** Of all boxed test images of the data set, also of those that the run was not scored on: folds are drawn over them. */
  patients: z.array(z.string()),
  sha256: z.object({ 'ious.npy': z.string(), 'ious-centre.npy': z.string() }),
  pairs: z.array(z.object({ image: z.string(), patientId: z.string(), finding: z.enum(BOXED_FINDINGS) })),
});

export type Protocol = z.infer<typeof ProtocolSchema>;
export type AucFile = z.infer<typeof AucFileSchema>;
export type AucRow = z.infer<typeof AucRowSchema>;
export type IousFile = z.infer<typeof IousFileSchema>;
export type LocalizationFile = z.infer<typeof LocalizationFileSchema>;
export type Curve = z.infer<typeof CurveSchema>;
export type CurvePoint = z.infer<typeof CurvePointSchema>;
