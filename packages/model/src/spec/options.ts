import { CxrError } from '@cxr-lens/data';
import { z } from 'zod';
import { METHODS, type MethodName } from './methods.ts';

/**
 * Every value of a training run that the paper states or leaves open, with its default; `--set name=value` reaches each.
 * A run records all of them. An option exists where an experiment of the paper, or one that questions it, uses the other value.
 */
export const TrainOptionsSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe('Decides initial weights, order of the images and which are perturbed'),
  learningRate: z.number().positive().default(0.01).describe('Learning rate of SGD'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('Momentum of SGD, as PyTorch: v = m v + g, w = w - lr v'),
  batchSize: z.int().min(2).default(32).describe('Images a step; the last incomplete batch of an epoch is dropped'),
  patience: z.int().min(1).default(3).describe('Epochs without a smaller validation loss after which training stops'),
  maxEpochs: z.int().min(1).default(100).describe('Epochs after which training stops in any case'),
  positiveWeight: z.enum(['batch', 'none']).default('batch').describe('beta of Eq. 1: negatives / positives of the batch, or 1'),
  runningMomentum: z.number().gt(0).max(1).default(0.1).describe("Share of a batch's statistics in batch norm's moving averages"),
  epsilon: z.number().min(0).max(1).default(0.005).describe('Largest change of a pixel in [0, 1] (Eq. 2)'),
  perturbedFraction: z.number().min(0).max(1).default(0.5).describe('Share of every batch that is perturbed'),
  attackSteps: z.int().min(1).default(1).describe('Steps of the attack; 1 is FGSM'),
  attackBatchNorm: z.enum(['batch', 'inference']).default('batch').describe("Statistics of batch norm inside the training's attack"),
  checkpointSeconds: z.number().min(0).default(30).describe('Seconds between two checkpoints inside an epoch'),
});

export type TrainOptions = z.infer<typeof TrainOptionsSchema>;
export type TrainOptionName = keyof TrainOptions;

export const TRAIN_OPTION_NAMES = Object.keys(TrainOptionsSchema.shape) as TrainOptionName[];

/** Options that mean something only where half of every batch is perturbed. */
const ADVERSARIAL_OPTIONS: readonly TrainOptionName[] = ['epsilon', 'perturbedFraction', 'attackSteps', 'attackBatchNorm'];

/** The names of the options that the method uses, in the schema's order. */
export function optionsOf(method: MethodName): TrainOptionName[] {
  const { adversarial } = METHODS[method];
  return TRAIN_OPTION_NAMES.filter((name) => adversarial || !ADVERSARIAL_OPTIONS.includes(name));
}

/** All options of a run, defaults filled in. CxrError BAD_INPUT names the field, what it holds and what was expected. */
export function parseTrainOptions(method: MethodName, given: unknown): TrainOptions {
  const parsed = TrainOptionsSchema.safeParse(given ?? {});
  if (!parsed.success) throw new CxrError('BAD_INPUT', optionError(parsed.error));
  const used = optionsOf(method);
  const unused = Object.keys(Object(given)).find((name) => !used.includes(name as TrainOptionName));
  const changed = unused !== undefined && parsed.data[unused as TrainOptionName] !== DEFAULT_TRAIN_OPTIONS[unused as TrainOptionName];
  if (changed) throw new CxrError('BAD_INPUT', `Option ${unused}: ${method} does not perturb its images; leave it out.`);
  return parsed.data;
}

export const DEFAULT_TRAIN_OPTIONS: TrainOptions = TrainOptionsSchema.parse({});

/**
 * Options from `name=value` texts, as `--set` takes them. Numbers and words as the schema wants them.
 * CxrError BAD_INPUT for an unknown name, a missing `=`, or a name given twice.
 */
export function parseSettings(settings: readonly string[]): Record<string, number | string> {
  const given: Record<string, number | string> = {};
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at < 1) throw new CxrError('BAD_INPUT', `--set ${setting}: expected name=value, for example --set maxEpochs=10.`);
    const name = setting.slice(0, at).trim();
    const value = setting.slice(at + 1).trim();
    if (!TRAIN_OPTION_NAMES.includes(name as TrainOptionName)) {
      throw new CxrError('BAD_INPUT', `--set ${name}: no such option; the options are ${TRAIN_OPTION_NAMES.join(', ')}.`);
    }
    if (name in given) throw new CxrError('BAD_INPUT', `--set ${name}: given twice.`);
    given[name] = value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
  }
  return given;
}

function optionError(error: z.ZodError): string {
  const issue = error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    return `Option ${issue.keys.join(', ')}: no such option; the options are ${TRAIN_OPTION_NAMES.join(', ')}.`;
  }
  return `Option ${issue.path.join('.') || 'list'}: ${issue.message}.`;
}
