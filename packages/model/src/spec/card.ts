import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { z } from 'zod';
import { ProtocolSchema } from './evaluation.ts';
import { ImportedSchema } from './imported.ts';
import { NormalisationSchema } from './normalisation.ts';
import { TrainOptionsSchema } from './options.ts';

/**
 * What turns one finding's logit into a probability, 1 / (1 + exp(-(a logit + b))), and a decision; nulls with the reason.
 * The operating point has the greatest Youden's J on the validation set: as a probability (the unit of the answer) and as a logit.
 */
const CalibrationSchema = z.object({
  platt: z.object({ a: z.number(), b: z.number() }).nullable(),
  operatingPoint: z.object({ probability: z.number(), logit: z.number() }).nullable(),
  reason: z.string().nullable(),
  positives: z.int(),
  negatives: z.int(),
});

/**
 * `card.json`: what somebody needs to use the weights beside it, and to know that they are these weights.
 * Tables are keyed by finding; the order of the logits is `findings`.
 */
export const CardSchema = z.object({
  format: z.literal(1),
  findings: z.array(z.enum(FINDINGS)).length(FINDINGS.length),
  inputSize: z.int(),
  featureShape: z.tuple([z.int(), z.int(), z.int()]),
  pixelRange: z.tuple([z.literal(0), z.literal(1)]),
  normalisation: NormalisationSchema,
  /** The weights of another program that the training started from, or that these are. */
  imported: ImportedSchema.nullable().default(null),
  preprocessingVersion: z.string(),
  /** Bits in use of the 16-bit files it was trained on: other 16-bit files are read alike. Null where there was none, or 0.1.0 wrote it. */
  bits: z.int().min(1).max(16).nullable().default(null),
  /** How the feature map becomes one number a channel; `average` makes the CAM an exact decomposition of the logit. */
  pooling: TrainOptionsSchema.shape.pooling.unwrap(),
  weightsSha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Logits of one image of seeded uniform noise: they are recomputed at load and must agree within `tolerance`. */
  golden: z.object({ seed: z.string(), logits: z.array(z.number()).length(FINDINGS.length), tolerance: z.number() }),
  calibration: z.record(z.enum(FINDINGS), CalibrationSchema),
  /** Written by the evaluation: thresholds 0..255 of the CAM per boxed finding, with the protocol and data that chose them. */
  camThresholds: z
    .object({
      protocol: ProtocolSchema,
      datasetHash: z.string(),
      synthetic: z.boolean(),
      values: z.record(z.enum(BOXED_FINDINGS), z.number().nullable()),
    })
    .nullable(),
});

export type Card = z.infer<typeof CardSchema>;
