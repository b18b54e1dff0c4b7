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
  reason: z.string().optional(),
});

/** `auc.json`: AUC of the test images per finding, `findings` in the findings' order. */
export const AucFileSchema = EvaluationHeadSchema.extend({
  images: z.int(),
  findings: z.record(z.string(), AucRowSchema),
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
});

/** `localization.json`: accuracy over T(IoU) per boxed finding, of the run and of the controls on the same images. */
export const LocalizationFileSchema = EvaluationHeadSchema.extend({
  protocol: ProtocolSchema,
  findings: z.record(z.string(), CurveSchema),
  controls: z.object({
    random: z.record(z.string(), CurveSchema),
    centre: z.record(z.string(), CurveSchema),
    bestReachable: z.record(z.string(), CurveSchema),
  }),
});

export type Protocol = z.infer<typeof ProtocolSchema>;
export type AucFile = z.infer<typeof AucFileSchema>;
export type AucRow = z.infer<typeof AucRowSchema>;
export type LocalizationFile = z.infer<typeof LocalizationFileSchema>;
export type Curve = z.infer<typeof CurveSchema>;
export type CurvePoint = z.infer<typeof CurvePointSchema>;
