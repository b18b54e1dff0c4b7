import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
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
});

const AucRowSchema = z.object({
  auc: z.number().nullable(),
  /** DeLong. */
  variance: z.number().nullable(),
  ci: z.tuple([z.number(), z.number()]).nullable(),
  /** Percentiles of the bootstrap over patients. */
  bootstrap: z.tuple([z.number(), z.number()]).nullable(),
  positives: z.int(),
  negatives: z.int(),
  reason: z.string().exactOptional(),
});

/** `auc.json`: AUC of the test images, per finding and their mean. */
export const AucFileSchema = EvaluationHeadSchema.extend({
  images: z.int(),
  findings: z.record(z.enum(FINDINGS), AucRowSchema),
  mean: z.object({ auc: z.number().nullable(), bootstrap: z.tuple([z.number(), z.number()]).nullable(), findings: z.int() }),
});

const CurvePointSchema = z.object({
  iouThreshold: z.number(),
  accuracy: z.number().nullable(),
  /** Percentiles of the bootstrap over patients, folds and thresholds kept. */
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** Standard deviation over the folds. */
  sd: z.number().nullable(),
});

const CurveSchema = z.object({
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
});

/** All curves of one run or one control: `LocalizationResult` of the eval package. */
const LocalizationSchema = z.object({
  protocol: ProtocolSchema,
  seed: z.int(),
  findings: z.record(z.enum(BOXED_FINDINGS), CurveSchema),
});

/** `localization.json`: accuracy over T(IoU) per boxed finding, of the run and of the controls on the same images. */
export const LocalizationFileSchema = EvaluationHeadSchema.extend({
  run: LocalizationSchema,
  controls: z.object({ random: LocalizationSchema, centre: LocalizationSchema, bestReachable: LocalizationSchema }),
});

export type Protocol = z.infer<typeof ProtocolSchema>;
export type AucFile = z.infer<typeof AucFileSchema>;
export type AucRow = z.infer<typeof AucRowSchema>;
export type LocalizationFile = z.infer<typeof LocalizationFileSchema>;
export type Curve = z.infer<typeof CurveSchema>;
export type CurvePoint = z.infer<typeof CurvePointSchema>;
