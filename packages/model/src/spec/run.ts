import { z } from 'zod';
import { ImportedSchema, Sha256Schema } from './imported.ts';
import { METHOD_NAMES } from './methods.ts';
import { NETWORK_NAMES } from './networks.ts';
import { NormalisationSchema } from './normalisation.ts';
import { fillWrittenOptions, TrainOptionsSchema } from './options.ts';
import { PRESET_NAMES } from './presets.ts';

/** One epoch of a run's history. `null`: not measured (no attack in this method) or not defined (no finding has both classes). */
export const EpochSchema = z.object({
  /** From 1. */
  epoch: z.int().min(1),
  /** Mean over the epoch's batches of the objective that was minimised. */
  trainLoss: z.number(),
  /** The method's own loss over the clean validation set, beta once over the whole set. */
  validationLoss: z.number(),
  /** The same with one fixed seeded half of the validation set perturbed. */
  perturbedValidationLoss: z.number().nullable(),
  /**
   * Mean losses of one fixed batch of validation images: clean, under the run's own attack, and under a strong one. `overfitted`: the own
   * attack misses most of what the strong one finds (catastrophic overfitting, Wong et al. 2020).
   */
  probe: z.object({ clean: z.number(), own: z.number(), strong: z.number(), overfitted: z.boolean() }).nullable().default(null),
  /** Mean over the findings with both classes in the validation set. */
  validationAuc: z.number().nullable(),
  seconds: z.number(),
});

/** The prepared data set that a run or an evaluation used, by content: no paths. */
export const DataRefSchema = z.object({
  name: z.string(),
  size: z.int(),
  datasetHash: z.string(),
  splitHash: z.string(),
  preprocessingVersion: z.string(),
  /** Bits in use of its 16-bit files; null where it has none, or where 0.1.0 prepared it. */
  bits: z.int().min(1).max(16).nullable().default(null),
  synthetic: z.boolean(),
  seed: z.int(),
  images: z.object({ train: z.int(), validation: z.int(), test: z.int() }),
});

export const RUN_STATES = ['training', 'finished', 'failed', 'cancelled'] as const;

/** What was trained, on what, how, and how it went. It holds no path, so that a run folder can be moved. */
const WholeRunSchema = z.object({
  format: z.literal(1),
  /** The run folder's name. */
  id: z.string().min(1),
  name: z.string().min(1),
  method: z.enum(METHOD_NAMES),
  preset: z.enum(PRESET_NAMES),
  network: z.enum(NETWORK_NAMES),
  inputSize: z.int(),
  /** [height, width, channels] of the last feature map. */
  featureShape: z.tuple([z.int(), z.int(), z.int()]),
  /** Null: the weights were imported, and what they were trained on is not known here. */
  data: DataRefSchema.nullable(),
  /** The run whose weights it started from. */
  parent: z.object({ id: z.string(), method: z.enum(METHOD_NAMES), weightsSha256: Sha256Schema }).nullable(),
  /** The weights of another program that it started from, and whether their head came along. */
  imported: ImportedSchema.nullable().default(null),
  /** `he-normal`, `run` when it started from `parent`, or `imported`; layers that the imported network has not are He normal. */
  initialisation: z.enum(['he-normal', 'run', 'imported']),
  /** The network's first step; null in runs written before it was recorded: that of the training images. */
  normalisation: NormalisationSchema.nullable().default(null),
  /** Supervised: SHA-256 of the pixels of the boxed test images that it trained on, so that their patients are never scored. */
  trainedTestImages: z.array(Sha256Schema).default([]),
  seed: z.int(),
  options: TrainOptionsSchema,
  codeVersion: z.string(),
  engine: z.string(),
  state: z.enum(RUN_STATES),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  epochs: z.array(EpochSchema),
  /** The epoch whose weights were kept: the one with the smallest clean validation loss. */
  bestEpoch: z.int().nullable(),
  stepsPerEpoch: z.int(),
  weightsSha256: Sha256Schema.nullable(),
  /** SHA-256 of card.json. An edited card does not load: its thresholds and calibration decide. Null before the end, and in finished runs of 0.1.0. */
  cardSha256: Sha256Schema.nullable().default(null),
  /** SHA-256 of the card that is about to be written. Until then both cards are accepted. */
  nextCardSha256: Sha256Schema.nullable().default(null),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});

/** A run written before an option existed has what its method does without it. */
export const RunSchema = z.preprocess(fillWrittenOptions, WholeRunSchema);

/** Whether a card of this SHA-256 is the run's. */
export function isCardOf({ cardSha256, nextCardSha256 }: Pick<Run, 'cardSha256' | 'nextCardSha256'>, sha256: string): boolean {
  return cardSha256 === null || sha256 === cardSha256 || sha256 === nextCardSha256;
}

export type Epoch = z.infer<typeof EpochSchema>;
export type DataRef = z.infer<typeof DataRefSchema>;
export type RunState = (typeof RUN_STATES)[number];
export type Run = z.infer<typeof RunSchema>;
