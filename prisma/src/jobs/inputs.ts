import { FINDINGS } from '@cxr-lens/data';
import { METHOD_NAMES, PRESET_NAMES, TrainOptionsSchema } from '@cxr-lens/model/spec';
import { z } from 'zod';
import type { JobKind } from '../../generated/client/client.ts';

const FolderNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'expected a folder name of letters, digits, ".", "_" and "-"');

/** What each queue's jobs carry; `jobs.enqueue` fills the options' defaults. */
export const JOB_INPUTS = {
  /** Draws phantoms into `<CXR_HOME>/data/<name>` and prepares them beside it as `<name>-<size>.cxr`. */
  phantom: z.strictObject({
    name: FolderNameSchema,
    images: z.int().min(1),
    /** Side of the drawn images and of the prepared ones, in pixels. */
    drawnSize: z.int().min(32).max(1024),
    size: z.int().min(8).max(2048),
    seed: z.int().min(0),
    prevalence: z.enum(['nih', 'enriched']),
  }),
  train: z.strictObject({
    /** Becomes the name of the run folder. */
    runId: FolderNameSchema,
    name: z.string().min(1).max(200),
    method: z.enum(METHOD_NAMES),
    preset: z.enum(PRESET_NAMES),
    dataSetId: z.string(),
    fromRunId: z.string().nullable().default(null),
    options: TrainOptionsSchema,
  }),
  evaluate: z.strictObject({ runIds: z.array(z.string()).min(1), dataSetId: z.string() }),
  explain: z.strictObject({
    imageId: z.string(),
    runIds: z.array(z.string()).min(1),
    findings: z
      .array(z.enum(FINDINGS))
      .min(1)
      .default([...FINDINGS]),
  }),
};

export type JobName = keyof typeof JOB_INPUTS;
/** As `enqueue` takes it. */
export type JobRequest<Name extends JobName> = z.input<(typeof JOB_INPUTS)[Name]>;
/** As a worker gets it. */
export type JobInput<Name extends JobName> = z.output<(typeof JOB_INPUTS)[Name]>;

export const JOB_NAMES = Object.keys(JOB_INPUTS) as JobName[];

export const JOB_KINDS = { phantom: 'PHANTOM', train: 'TRAIN', evaluate: 'EVALUATE', explain: 'EXPLAIN' } as const satisfies Record<
  JobName,
  JobKind
>;
