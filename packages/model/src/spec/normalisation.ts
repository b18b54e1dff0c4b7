import { z } from 'zod';

const PerChannelSchema = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);

/** Mean and standard deviation of the pixels in [0, 1], a network's first step: of all three channels, or of each. */
export const NormalisationSchema = z.object({ mean: PerChannelSchema, std: PerChannelSchema, source: z.string() });

export type Normalisation = z.infer<typeof NormalisationSchema>;
